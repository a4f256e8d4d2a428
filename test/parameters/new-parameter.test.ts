/** What `new Parameter` takes, what it shows of itself, and what it refuses. */

import assert from 'node:assert';
import { describe, expect, it } from 'vitest';
import { Parameter, ParameterArena, SGD } from '../../lib/index.ts';
import { bits, expectError, parameter } from '../support/helpers.ts';

describe('nested arrays', () => {
  it('give the values and the shape', () => {
    const p = new Parameter([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([p.shape, [...p.data]]).toEqual([
      [2, 3],
      [1, 2, 3, 4, 5, 6],
    ]);
    expect(new Parameter([[[1]], [[2]]], { shape: [2, 1, 1] }).shape).toEqual([2, 1, 1]);
    expect(new Parameter([1, 2, 3, 4], { shape: [2, 2] }).shape).toEqual([2, 2]);
    expect(new Parameter([[], []]).shape).toEqual([2, 0]);
    expect(new Parameter([]).shape).toEqual([0]);
    expect([...new Parameter([Number.NaN, -0, Number.POSITIVE_INFINITY]).data]).toEqual([
      Number.NaN,
      -0,
      Number.POSITIVE_INFINITY,
    ]);
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  it.each([
    ['ragged rows', [[1, 2], [3]], 'rows of 2 but received [3] at [1]'],
    ['a number among rows', [[1], 2], 'rows of 1 but received 2 at [1]'],
    ['a row among numbers', [1, [2]], 'numbers but received [2] at [1]'],
    ['strings', ['1', '2'], "numbers but received '1' at [0]"],
    ['a hole', new Array(1), 'numbers but received undefined at [0]'],
    ['null', [[1, null]], 'numbers but received null at [0][1]'],
    ['a boolean', [true], 'numbers but received true'],
    ['a bigint', [1n], 'numbers but received 1n'],
    ['a number beyond float32', [1, 1e39], 'numbers that float32 can hold but received 1e+39'],
    ['an array in itself', cyclic, 'numbers but received'],
  ])('refuses %s', (_what, data, text) => {
    const make = () => new Parameter(data as never, { name: 'w' });
    expectError(make, 'ERR_INVALID_PARAMETER', `Expected data of parameter 'w' to be ${text}`);
  });

  it('refuses another shape than theirs', () => {
    const make = () => new Parameter([[1, 2]], { shape: [2, 1] });
    expectError(make, 'ERR_INVALID_PARAMETER', 'shape [2, 1] but received arrays of shape [1, 2]');
  });
});

describe('options', () => {
  it.each([
    ['a shape alone', [2, 1], 'received [2, 1]; did you mean { shape: … }?'],
    ['a name alone', 'w', "received 'w'; did you mean { name: … }?"],
    ['a gradient alone', new Float32Array(2), 'did you mean { grad: … }?'],
    ['a number', 5, 'received 5'],
    ['null', null, 'received null'],
    ['another name', { name: 5 }, 'name of Parameter to be a string but received 5'],
  ])('are no %s', (_what, options, text) => {
    expectError(() => new Parameter([1, 2], options as never), 'ERR_INVALID_OPTION', text);
    expectError(() => Parameter.zeros([2], options as never), 'ERR_INVALID_OPTION', text);
  });

  it('are refused with the nearest that there is', () => {
    for (const [word, nearest] of [
      ['shapes', 'shape'],
      ['nme', 'name'],
      ['requiresGrad', 'frozen'],
    ]) {
      const make = () => new Parameter([1], { [word!]: 1 } as never);
      expectError(make, 'ERR_UNKNOWN_OPTION', `'${word}' of Parameter; did you mean ${nearest}?`);
    }
  });

  it('have gradients that fit, and memory that is there', () => {
    const grad = new Float32Array(3);
    expectError(() => new Parameter([1], { grad }), 'ERR_INVALID_GRADIENT', 'of length 1 but');
    const wrong = { grad: [1] as never };
    expectError(() => new Parameter([1], wrong), 'ERR_INVALID_GRADIENT', 'a Float32Array but');
    const gone = Float32Array.of(1);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expectError(() => new Parameter(gone), 'ERR_DETACHED', 'data of parameter');
    const data = new Float64Array(2) as never;
    expectError(() => new Parameter(data), 'ERR_INVALID_PARAMETER', 'Float32Array.from(array)');
  });
});

describe('shapes', () => {
  it('have a number of values that memory can hold, or none', () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(Parameter.sizeOf([most, most, most, 0])).toBe(0);
    const huge = [new Array(40).fill(most), [most, 2], [2 ** 30, 2 ** 30]];
    for (const shape of huge) {
      expectError(() => Parameter.sizeOf(shape), 'ERR_INVALID_PARAMETER', 'that memory can hold');
      expectError(() => Parameter.zeros(shape), 'ERR_INVALID_PARAMETER', 'that memory can hold');
      expectError(() => new ParameterArena([shape]), 'ERR_INVALID_PARAMETER', 'can hold');
    }
    expectError(() => Parameter.zeros([2 ** 50]), 'ERR_OUT_OF_MEMORY', 'allocate');
    expectError(() => new ParameterArena([[2 ** 50]]), 'ERR_OUT_OF_MEMORY', 'allocate');
    expect(new ParameterArena([[...huge[0]!, 0]]).data).toHaveLength(0);
  });

  it('are read once', () => {
    let reads = 0;
    const shape = new Proxy([3], {
      get: (target, key) => (key === '0' ? 3 * ++reads : Reflect.get(target, key)),
    });
    expect(Parameter.zeros(shape)).toHaveLength(3);
    expect(new ParameterArena([shape]).parameters[0]).toHaveLength(6);
    expect(reads).toBe(2);
  });
});

describe('parameters that differ', () => {
  const pairs = (): [Parameter, Parameter][] => {
    const [a, b] = [new ParameterArena([[1]]), new ParameterArena([[1]])];
    b.data[0] = 1;
    const grad = new Parameter([1]);
    grad.ensureGrad().fill(1);
    return [
      [new Parameter([1]), new Parameter([9])],
      [new Parameter([1]), grad],
      [new Parameter([1]), new Parameter([1], { frozen: true })],
      [new Parameter([1], { name: 'a' }), new Parameter([1], { name: 'b' })],
      [a.parameters[0]!, b.parameters[0]!],
    ];
  };

  it('are told from each other by what tests compare with', () => {
    for (const [a, b] of pairs()) {
      expect(() => assert.deepStrictEqual(a, b)).toThrow(assert.AssertionError);
      expect(a).not.toEqual(b);
      assert.deepStrictEqual(a, a);
    }
    assert.deepStrictEqual(new Parameter([1, 2]), new Parameter([1, 2]));
    expect(new Parameter([1, 2])).toEqual(new Parameter([1, 2]));
  });

  it('keep their values in a structured clone and in a spread', () => {
    for (const p of [parameter(3, 'w'), new ParameterArena({ w: [3] }).parameters[0]!]) {
      p.data.fill(7);
      p.grad!.fill(1);
      for (const copy of [structuredClone(p), { ...p } as Parameter]) {
        expect(Object.keys(copy)).toEqual(['name', 'shape', 'data', 'grad', 'frozen']);
        new SGD([copy], { lr: 1 }).step();
        expect(bits(copy.data)).toEqual(bits(Float32Array.of(6, 6, 6)));
        p.data.fill(7);
      }
    }
  });

  it('follow a subclass that has accessors of its own', () => {
    class Doubled extends Parameter {
      override get data() {
        return super.data.map((value) => 2 * value);
      }
    }
    const p = new Doubled([1]);
    expect([p.data[0], ({ ...p } as Parameter).data[0]]).toEqual([2, 2]);
  });
});

it('refuses requiresGrad, which nobody reads, unless a subclass has it', () => {
  for (const word of ['requiresGrad', 'requires_grad']) {
    const set = () => Object.assign(parameter(), { [word]: false });
    expectError(set, 'ERR_UNKNOWN_OPTION', 'parameter.frozen = true');
  }
  class Torchlike extends Parameter {
    requiresGrad = true;
  }
  expect(new Torchlike([1]).requiresGrad).toBe(true);
  expectError(() => Object.assign(parameter(), { length: 2 }), 'ERR_READ_ONLY', 'length cannot');
  expect(Object.assign(parameter(), { tag: 1 }).tag).toBe(1);
});
