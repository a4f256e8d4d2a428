/** Callers that lie, change their mind, or run code where nobody expects it. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Adam, Optimizer, type ParameterLike, SGD } from '../../lib/index.ts';
import { expectError, onEachBackend, parameter } from '../support/helpers.ts';

type Floats = Float32Array<ArrayBufferLike>;

const transfer = (array: Floats) =>
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });

onEachBackend(() => {
  describe('names', () => {
    it('are read once, before anything is registered', () => {
      let reads = 0;
      const paramNames = ['a', 'b'];
      Object.defineProperty(paramNames, 1, {
        get() {
          if (reads++ > 0) throw new Error('read twice');
          return 'b';
        },
      });
      const params = [parameter(), parameter()];
      const o = new SGD([{ params, paramNames }], { lr: 1 });
      expect(o.paramGroups[0]!.paramNames).toEqual(['a', 'b']);
      o.step();
      expect(reads).toBe(1);
      const group = o.paramGroups[0] as unknown as { paramNames: string[] };
      expect(() => group.paramNames.push('c')).toThrow(TypeError);
    });

    it.each([
      ['null', null],
      ['a string', 'w'],
      ['an array-like', { length: 1, 0: 'w' }],
      ['a symbol', [Symbol('w')]],
      ['too many', ['a', 'b']],
    ])('refuses %s', (_what, paramNames) => {
      const o = new SGD([]);
      expectError(
        () => o.addParamGroup({ params: parameter(), paramNames: paramNames as never }),
        'ERR_NAMES',
        'ames',
      );
      o.addParamGroup({ params: parameter() });
    });

    it('refuses paramNames that contradict the pairs', () => {
      const group = { params: [['a', parameter()]] as const, paramNames: ['b'] };
      expectError(() => new SGD([group]), 'ERR_NAMES', 'differ');
    });

    it('may be anything on a structural parameter, and change nothing when a call fails', () => {
      const shared = new Float32Array(4);
      const [a, b] = [
        { data: shared, grad: new Float32Array(4).fill(1) },
        { data: shared.subarray(1, 2), name: Symbol('b') as unknown as string },
      ];
      const c = { data: new Float32Array(4), grad: new Float32Array(4) };
      const o = new SGD([a], { lr: 1 });
      expectError(() => o.addParamGroup({ params: [c, b] }), 'ERR_OVERLAP', 'at index 1 (group 1)');
      const broken = {
        data: new Float32Array(1),
        get name(): string {
          throw new RangeError('mine');
        },
      };
      expect(() => o.addParamGroup({ params: broken })).toThrow(RangeError);
      o.addParamGroup({ params: c });
      o.step();
      expect([...a.data, ...c.data]).toEqual([-1, -1, -1, -1, 0, 0, 0, 0]);
      expect(o.state.size).toBe(0);
    });
  });

  describe('code that runs in the middle of a call', () => {
    it('cannot add, step or dispose while a group is being added', () => {
      for (const act of ['addParamGroup', 'step', 'dispose', 'zeroGrad'] as const) {
        const o = new SGD([parameter()]);
        const generate = function* () {
          (o[act] as (argument?: unknown) => void)({ params: parameter() });
          yield parameter();
        };
        expectError(() => o.addParamGroup({ params: generate() }), 'ERR_BUSY', 'addParamGroup');
        expect(o.paramGroups).toHaveLength(1);
        o.step();
      }
    });

    it('cannot step or dispose while the loss is looked at', () => {
      const o = new SGD([parameter()]);
      const loss = (act: () => void) => () => ({
        // biome-ignore lint/suspicious/noThenProperty: that is what is tested
        get then() {
          act();
          return undefined;
        },
      });
      expectError(() => o.step(loss(() => o.step())), 'ERR_BUSY', 'a step');
      expectError(() => o.step(loss(() => o.dispose())), 'ERR_DISPOSED', 'disposed');
      expectError(() => o.step(), 'ERR_DISPOSED', 'disposed');
    });

    it('refuses a loss that is a function with then', () => {
      // biome-ignore lint/suspicious/noThenProperty: that is what is tested
      const thenable = Object.assign(() => 1, { then() {} });
      expectError(() => new SGD([]).step(() => thenable), 'ERR_ASYNC_CLOSURE', 'promise');
    });

    it('cannot take memory away through a patched iterator', () => {
      const p = { data: new Float32Array(100_000), grad: new Float32Array(100_000) };
      const o = new SGD([p]);
      o.step();
      const prototype = Object.getPrototypeOf([][Symbol.iterator]()) as { next(): unknown };
      const { next } = prototype;
      let armed = true;
      prototype.next = function (this: unknown) {
        const result = next.call(this) as { done: boolean };
        if (result.done && armed) {
          armed = false;
          transfer(p.data);
        }
        return result;
      };
      try {
        // Without a closure no iterator runs before the core.
        expectError(() => o.step(() => 1), 'ERR_DETACHED', 'data of parameter at index 0');
      } finally {
        prototype.next = next;
      }
    });
  });

  describe('zeroGrad', () => {
    it('puts gradients back when one cannot be dropped', () => {
      const a = parameter();
      for (const b of [
        Object.freeze({ data: new Float32Array(1), grad: new Float32Array(1) }),
        {
          data: new Float32Array(1),
          get grad() {
            return new Float32Array(1);
          },
        },
      ]) {
        const { grad } = a;
        const o = new SGD([a, b as ParameterLike]);
        expectError(() => o.zeroGrad(), 'ERR_INVALID_GRADIENT', 'at index 1 (group 0)');
        expect(a.grad).toBe(grad);
      }
    });

    it('does not fill parameters with zeros that pose as gradients', () => {
      const a = parameter();
      const o = new SGD([a]);
      a.grad = a.data;
      expectError(() => o.zeroGrad({ setToNone: false }), 'ERR_OVERLAP', 'grad of parameter');
      expect([...a.data]).toEqual([1, 2, 3]);
    });
  });

  it('takes lengths from the array, whatever it says', () => {
    const forge = (array: Floats, length: number, byteLength = length * 4) =>
      Object.defineProperties(array, {
        length: { value: length },
        byteLength: { value: byteLength },
      });
    const data = forge(new Float32Array(3), 1);
    const p = { data, grad: new Float32Array(3).fill(1) };
    new SGD([p], { lr: 1 }).step();
    expect([data[0], data[1], data[2]]).toEqual([-1, -1, -1]);
    const inside = { data: forge(new Float32Array(data.buffer, 4, 1), 0, 0) };
    expectError(() => new SGD([p, inside]), 'ERR_OVERLAP', 'at index 1');
  });

  it('gives memory that was transferred away and given out again to its new owner', () => {
    const p: ParameterLike = { data: new Float32Array(50_000), grad: new Float32Array(50_000) };
    const o = new SGD([p], { lr: 1 });
    o.step();
    for (let i = 0; i < 20; i++) {
      // The same memory comes back under a new name, while the old claim still stands.
      const moved = new Float32Array(transfer(p.data) as ArrayBuffer);
      const q = { data: moved, grad: new Float32Array(50_000).fill(1) };
      o.addParamGroup({ params: q });
      Object.assign(p, { data: new Float32Array(50_000) });
      o.step();
      expect(moved[0]).toBe(-1);
    }
  });

  it('keeps working after many failed calls', () => {
    const a = parameter(1000);
    const o = new Adam([a]);
    for (let i = 1; i < 200; i++) {
      const overlapping = { data: a.data.subarray(0, 1) };
      const large = { data: new Float32Array(i * 100) };
      expectError(() => o.addParamGroup({ params: [large, overlapping] }), 'ERR_OVERLAP', 'memory');
    }
    for (let i = 0; i < 20; i++) o.addParamGroup({ params: { data: new Float32Array(10_000) } });
    o.step();
  });

  it('prints what has gone, and what is odd', () => {
    const p = parameter(5, 'w');
    const o = new SGD([p, { data: new Float32Array(1), shape: 5 as never }]);
    o.step();
    transfer(p.data);
    expect(inspect(p)).toContain('its memory was taken away');
    expect(inspect(o.paramGroups)).toContain('its memory was taken away');
    const adam = new Adam([parameter()]);
    adam.step();
    expect(inspect(adam.state)).toMatch(/Map\(1\)[\s\S]*step: 1/);
  });

  it('checks name and meta of a group at every assignment', () => {
    const o = new SGD([{ params: parameter(), name: 'a', meta: 1 }]);
    const group = o.paramGroups[0] as unknown as Record<string, unknown>;
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const wrong: [string, unknown][] = [
      ['name', 5],
      ['name', Symbol('x')],
      ['meta', () => 1],
      ['meta', 5n],
      ['meta', { deep: 5n }],
      ['meta', cycle],
      ['meta', Symbol('x')],
    ];
    for (const [key, value] of wrong) {
      expectError(() => Object.assign(group, { [key]: value }), 'ERR_INVALID_GROUP', key);
      const added = { params: parameter(), [key]: value };
      expectError(() => o.addParamGroup(added as never), 'ERR_INVALID_GROUP', key);
    }
    expect({ ...group }).toMatchObject({ name: 'a', meta: 1 });
  });

  it('checks options in torch’s order, lr first', () => {
    const options = { maximize: 1, weightDecay: -1, lr: -1 } as never;
    expectError(() => new Adam([], options), 'ERR_INVALID_OPTION', 'Invalid learning rate');
  });

  it('refuses every option once it is disposed', () => {
    const o = new Adam([parameter()]);
    o.dispose();
    const set = (target: object) => () => Object.assign(target, { lr: 5 });
    expectError(set(o.paramGroups[0]!), 'ERR_DISPOSED', 'disposed');
    expectError(set(o.defaults), 'ERR_DISPOSED', 'disposed');
  });

  it('makes optimizers only from its own schemas', () => {
    class Mine extends (Optimizer as unknown as new (...args: unknown[]) => object) {}
    const schema = { rule: 'adam', fields: [], write() {}, parse: () => ({}), initial: () => ({}) };
    for (const wrong of [schema, null, 5, undefined]) {
      expectError(() => new Mine(wrong, [], {}), 'ERR_INVALID_ARGUMENT', 'subclasses');
    }
  });
});
