/** What may be a parameter, how it is named, and what is refused, with nothing changed. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Adam, Parameter, type ParameterLike, SGD } from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

describe('Parameter', () => {
  it('has data, grad, name, shape and length', () => {
    const p = new Parameter(new Float32Array(6), { name: 'w', shape: [2, 3] });
    expect([p.name, p.shape, p.length, p.grad]).toEqual(['w', [2, 3], 6, null]);
    expect(p.ensureGrad()).toHaveLength(6);
    expect(Parameter.zeros([4, 5]).length).toBe(20);
    expect(new Parameter([1, 2]).data).toEqual(Float32Array.of(1, 2));
    const grad = new Float32Array(2);
    expect(new Parameter([1, 2], { grad }).grad).toBe(grad);
  });

  it('uses the given array, and prints and serializes without its values', () => {
    const data = Float32Array.of(0.123456, 1, 2, 3);
    const p = new Parameter(data, { name: 'w' });
    expect(p.data).toBe(data);
    expect(inspect(p)).toBe("Parameter 'w' [4] [0.1235, 1, 2, …]");
    expect(String(new Parameter([]))).toBe('Parameter [0] []');
    expect(JSON.stringify(p)).toBe('{"name":"w","shape":[4],"length":4}');
  });

  it('makes a new gradient when the dropped one has another length', () => {
    const p = parameter(3);
    p.grad = null;
    p.data = new Float32Array(5);
    expect(p.ensureGrad()).toHaveLength(5);
  });

  it('refuses what is no Float32Array, and shapes that do not fit', () => {
    const bad = (data: unknown) => () => new Parameter(data as never);
    for (const data of [new Float64Array(2), 5, null, new ArrayBuffer(8)]) {
      expectError(bad(data), 'ERR_INVALID_PARAMETER', 'to be a Float32Array');
    }
    expectError(
      () => new Parameter([1, 2], { shape: [3] }),
      'ERR_INVALID_PARAMETER',
      'Expected data of shape [3] but received 2 values',
    );
    for (const shape of [[-1], [1.5], [-1, -2]]) {
      expectError(() => Parameter.zeros(shape), 'ERR_INVALID_PARAMETER', 'whole numbers');
    }
    const p = parameter(2, 'w');
    expectError(
      () => Object.assign(p, { grad: [1, 2] }),
      'ERR_INVALID_GRADIENT',
      "grad of parameter 'w' to be a Float32Array but received [1, 2]",
    );
    expectError(() => Object.assign(p, { data: 1 }), 'ERR_INVALID_PARAMETER', 'received 1');
  });
});

onEachBackend(() => {
  describe('the first argument', () => {
    it.each([
      ['a bare parameter', parameter(), 'an iterable of parameters or groups'],
      ['one group', { params: parameter() }, 'put it into an array'],
      ['a Float32Array', new Float32Array(3), 'Float32Array(3)'],
      ['a number', 5, 'but got 5'],
      ['nothing', undefined, 'but got undefined'],
      ['null', null, 'but got null'],
      ['a string', 'w', "but got 'w'"],
    ])('refuses %s', (_what, params, text) => {
      const message = 'params argument given to the optimizer should be an iterable';
      expectError(() => new Adam(params as never), 'ERR_INVALID_PARAMETER', message);
      expectError(() => new Adam(params as never), 'ERR_INVALID_PARAMETER', text);
    });

    it.each([
      ['numbers', [1, 2]],
      ['arrays', [new Float32Array(3)]],
      ['nothing', [null]],
      ['objects without data', [{ grad: null }]],
      ['strings', ['w']],
      ['a pair without a parameter', [['w', 5]]],
      ['a group after a parameter', [parameter(), { params: parameter() }]],
      ['a Map from parameters', new Map([[parameter(), 'w']])],
    ])('refuses %s as parameters', (_what, params) => {
      expectError(
        () => new Adam(params as never),
        'ERR_INVALID_PARAMETER',
        'optimizer can only optimize Tensors, that is parameters',
      );
    });

    it('refuses a parameter after a group, and groups that are none', () => {
      for (const group of [parameter(), 5, null, [parameter()], 'x']) {
        const groups = [{ params: parameter() }, group];
        expectError(
          () => new Adam(groups as never),
          'ERR_INVALID_GROUP',
          group instanceof Parameter ? 'Expected params' : 'param_group must be a dict',
        );
        expectError(() => new Adam([]).addParamGroup(group as never), 'ERR_INVALID_GROUP', 'group');
      }
      expectError(() => new Adam([]).addParamGroup({} as never), 'ERR_INVALID_GROUP', 'params');
      for (const params of [5, null, new Float32Array(2), 'w']) {
        expectError(
          () => new Adam([]).addParamGroup({ params } as never),
          'ERR_INVALID_PARAMETER',
          'Expected params to be a parameter, or an iterable',
        );
      }
    });

    it('passes on what a generator throws, and takes nothing', () => {
      const w = parameter();
      function* broken() {
        yield w;
        throw new RangeError('mine');
      }
      expect(() => new Adam(broken())).toThrow(RangeError);
      const o = new Adam([]);
      expect(() => o.addParamGroup({ params: broken() })).toThrow(RangeError);
      o.addParamGroup({ params: w });
    });
  });

  describe('arrays', () => {
    it.each([
      ['Float64Array', new Float64Array(3)],
      ['Int32Array', new Int32Array(3)],
      ['DataView', new DataView(new ArrayBuffer(12))],
      ['ArrayBuffer', new ArrayBuffer(12)],
      ['Array', [1, 2, 3]],
      ['a Proxy of one', new Proxy(new Float32Array(3), {})],
      ['an impostor', Object.create(Float32Array.prototype)],
      ['null', null],
    ])('refuses %s as data, and as grad at the step', (_what, array) => {
      expectError(
        () => new SGD([{ data: array } as never]),
        'ERR_INVALID_PARAMETER',
        'Expected data of parameter at index 0 to be a Float32Array',
      );
      if (array === null) return;
      const p: ParameterLike = { data: new Float32Array(3), grad: array as never };
      const o = new SGD([parameter(), p]);
      const before = bits(o.paramGroups[0]!.params[0]!.data);
      expectError(
        () => o.step(),
        'ERR_INVALID_GRADIENT',
        'Expected grad of parameter at index 1 (group 0) to be a Float32Array',
      );
      expect(bits(o.paramGroups[0]!.params[0]!.data)).toEqual(before);
    });

    it('refuses a gradient of another length', () => {
      for (const length of [0, 2, 4]) {
        const p = { data: new Float32Array(3), grad: new Float32Array(length), name: 'w' };
        expectError(
          () => new SGD([p]).step(),
          'ERR_INVALID_GRADIENT',
          "grad of parameter 'w' (group 0) to be a Float32Array of length 3 but received " +
            `Float32Array(${length})`,
        );
      }
    });

    it('allows length zero', () => {
      const p = parameter(0);
      const o = new Adam([p, parameter()]);
      o.step();
      expect(o.state.get(p)).toMatchObject({ step: 1, expAvg: new Float32Array(0) });
    });

    it('takes subclasses by their true length', () => {
      class Forged extends Float32Array {
        override get length() {
          return 1_000_000;
        }
      }
      const own = Object.defineProperty(Float32Array.of(1, 2), 'length', { value: 1e6 });
      for (const data of [new Forged([1, 2]), own]) {
        const p = { data, grad: Float32Array.of(1, 1) };
        new SGD([p], { lr: 1 }).step();
        expect([data[0], data[1]]).toEqual([0, 1]);
        p.grad = Object.defineProperty(new Float32Array(1), 'length', { value: 2 });
        expectError(() => new SGD([p]).step(), 'ERR_INVALID_GRADIENT', 'Float32Array(1)');
      }
    });
  });

  describe('the same memory twice', () => {
    it('refuses a parameter that is given twice', () => {
      const [w, v] = [parameter(), parameter()];
      expectError(() => new Adam([w, v, w]), 'ERR_DUPLICATE_PARAMETER', 'index 0 and 2');
      expectError(
        () => new Adam([{ params: [w] }, { params: [v, w] }]),
        'ERR_DUPLICATE_PARAMETER',
        'some parameters appear in more than one parameter group',
      );
    });

    it('refuses data that overlaps data', () => {
      const buffer = new Float32Array(10);
      const a = { data: buffer.subarray(0, 5), name: 'a' };
      const touching = { data: buffer.subarray(5), name: 'touching' };
      for (const b of [buffer.subarray(4, 6), buffer.subarray(0, 5), buffer]) {
        const make = () => new SGD([a, { data: b, name: 'b' }]);
        expectError(make, 'ERR_OVERLAP', "data of parameter 'b' (group 0) shares memory");
      }
      const o = new SGD([a, touching]);
      const inside = { data: buffer.subarray(2, 3) };
      expectError(() => o.addParamGroup({ params: inside }), 'ERR_OVERLAP', "'a' (group 0)");
      expect(o.paramGroups).toHaveLength(1);
      o.addParamGroup({ params: parameter() });
    });

    it('refuses a gradient that overlaps data or state; gradients may share', () => {
      const shared = Float32Array.of(1, 1, 1);
      const [a, b] = [parameter(), parameter()];
      a.grad = shared;
      b.grad = shared;
      const o = new Adam([a, b]);
      o.step();
      expect(bits(a.data)).toEqual(bits(b.data));
      for (const grad of [a.data, b.data, o.state.get(b)!.expAvg]) {
        const before = [bits(a.data), bits(b.data)];
        a.grad = grad;
        expectError(() => o.step(), 'ERR_OVERLAP', 'grad of parameter at index 0 (group 0)');
        expectError(() => o.step(), 'ERR_OVERLAP', 'shares memory');
        expect([bits(a.data), bits(b.data)]).toEqual(before);
      }
      a.grad = shared;
      o.step();
      expect(o.state.get(a)!.step).toBe(2);
      const stolen = { data: o.state.get(a)!.expAvg };
      expectError(
        () => o.addParamGroup({ params: stolen }),
        'ERR_OVERLAP',
        "optimizer's own state",
      );
    });

    it('refuses new data that overlaps, and takes two that are swapped', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new SGD([a, b], { lr: 1 });
      o.step();
      [a.data, b.data] = [b.data, a.data];
      o.step();
      const { data } = a;
      a.data = b.data;
      expectError(() => o.step(), 'ERR_OVERLAP', 'parameters must not overlap');
      expectError(() => o.step(), 'ERR_OVERLAP', 'parameters must not overlap');
      a.data = data;
      o.step();
      a.data = b.grad!;
      expectError(() => o.step(), 'ERR_OVERLAP', 'shares memory');
    });
  });

  describe('names', () => {
    const pairs = (...names: string[]) => names.map((name) => [name, parameter()] as const);

    it('stand in errors', () => {
      const [[, w]] = pairs('fc.weight') as [readonly [string, Parameter]];
      const o = new SGD([['fc.weight', w]]);
      w.grad = new Float32Array(9);
      expectError(() => o.step(), 'ERR_INVALID_GRADIENT', "'fc.weight' (group 0)");
    });

    it('are given to all parameters or to none', () => {
      const half = [...pairs('a'), parameter()];
      expectError(() => new SGD(half as never), 'ERR_NAMES', 'Some param names are missing');
      const o = new SGD(pairs('a', 'b'));
      expectError(
        () => o.addParamGroup({ params: parameter() }),
        'ERR_NAMES',
        'cannot add param group without names to the optimizer',
      );
      expectError(
        () => new SGD([parameter()]).addParamGroup({ params: pairs('a') }),
        'ERR_NAMES',
        'all optimizer param groups should be with/without names. cannot add param group with names',
      );
      expect(o.paramGroups).toHaveLength(1);
    });

    it('differ within a group, and may repeat in another', () => {
      expectError(() => new SGD(pairs('a', 'b', 'a')), 'ERR_NAMES', "received 'a' twice");
      const o = new SGD([{ params: pairs('w', 'b') }, { params: pairs('w', 'b') }]);
      expect(o.paramGroups).toHaveLength(2);
      const group = { params: [parameter()], paramNames: ['a', 'b'] };
      expectError(
        () => o.addParamGroup(group),
        'ERR_NAMES',
        'Expected paramNames to be an array of 1 names',
      );
    });
  });
});
