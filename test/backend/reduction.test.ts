/** Reductions: the same double on every instruction set as in TypeScript, and as defined. */

import { afterAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../lib/backend/load-addon.ts';
import { reduceBlock, reductions } from '../../lib/backend/portable/reduce.ts';
import { kernelArithmetic } from '../../lib/backend/wasm/kernel-arithmetic.ts';
import { backend, isas, setBackend, setIsa } from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { WASM_ISAS } from '../support/wasm.ts';

const addon = loadAddon();
const names = Object.keys(reductions) as (keyof typeof reductions)[];
const LENGTHS = [...Array(71).keys(), 4095, 4096];
const TREATMENTS = [
  [1, Number.POSITIVE_INFINITY],
  [-0.375, 0.25],
  [Math.fround(1e30), Number.POSITIVE_INFINITY],
] as const;

/** Finite values; then some that are huge, tiny or zero; then NaN and infinities among them. */
function inputs(length: number, kind: number): Float32Array {
  const array = new Float32Array(length + 3).subarray(3); // off every border
  fill(array, 'normal', 7, length, kind);
  const odd = [3.4028234663852886e38, -(2 ** -149), 2 ** -127, 0, -0, -3.4028234663852886e38];
  if (kind > 0) for (let i = 1; i < length; i += 3) array[i] = odd[i % odd.length]!;
  if (kind > 1) array[length >> 1] = length % 2 ? Number.NaN : Number.NEGATIVE_INFINITY;
  return array;
}

const cases = LENGTHS.flatMap((length) =>
  [0, 1, 2].flatMap((kind) =>
    TREATMENTS.map(([scale, bound]) => ({ array: inputs(length, kind), scale, bound })),
  ),
);

function portableResults(name: keyof typeof reductions): number[] {
  return cases.map(({ array, scale, bound }) =>
    reduceBlock(reductions[name], array, 0, array.length, scale, bound),
  );
}

describe('a block', () => {
  const before = addon.isa();
  afterAll(() => setIsa(before));

  it.each(names)('gives one %s on every instruction set', (name) => {
    const expected = portableResults(name);
    for (const isa of isas()) {
      setIsa(isa);
      const got = cases.map(({ array, scale, bound }) =>
        addon.debugReduce(names.indexOf(name), array, scale, bound),
      );
      expect(got, isa).toEqual(expected);
    }
  });

  it.each(names)('gives the same %s on the wasm backend', (name) => {
    const expected = portableResults(name);
    const previous = backend();
    setBackend('wasm');
    for (const isa of WASM_ISAS) {
      setIsa(isa);
      const got = cases.map(({ array, scale, bound }) =>
        kernelArithmetic.reduce(reductions[name], array, scale, bound),
      );
      expect(got, isa).toEqual(expected);
    }
    setIsa(WASM_ISAS[0]!);
    setBackend(previous);
  });

  it('is refused when it is longer than one', () => {
    expect(() => addon.debugReduce(0, new Float32Array(4097), 1, 1)).toThrow('Expected one block');
    expect(() => addon.debugReduce(6, new Float32Array(1), 1, 1)).toThrow('reduction');
  });
});

/** Each reduction in plain words, exact enough to tell it from the others. */
const meanings: Record<keyof typeof reductions, (values: number[]) => number> = {
  sumOfSquares: (values) => values.reduce((sum, x) => sum + x * x, 0),
  sumOfAbs: (values) => values.reduce((sum, x) => sum + Math.abs(x), 0),
  maxAbs: (values) => Math.max(0, ...values.map(Math.abs)),
  minAbs: (values) => Math.min(...values.map(Math.abs)),
  nonZero: (values) => values.filter((x) => x !== 0).length,
  nonFinite: (values) => values.filter((x) => !Number.isFinite(x)).length,
};

it.each(names)('%s is what its name says', (name) => {
  const results = portableResults(name);
  for (const [i, { array, scale, bound }] of cases.entries()) {
    const values = Array.from(array, (x) =>
      Math.min(Math.max(Math.fround(x * scale), -bound), bound),
    );
    const expected = meanings[name](values);
    if (Number.isFinite(expected) && expected !== 0) {
      expect(results[i]! / expected).toBeCloseTo(1, 12);
    } else {
      expect(results[i]).toBe(expected);
    }
  }
});

it('refuses arguments that only other code than ours could pass', () => {
  const floats = new Float32Array(2);
  const wrong: (() => unknown)[] = [
    () => addon.gradNorm(undefined as never, 2),
    () => addon.gradNorm([floats, new Float64Array(2) as never], 2),
    () => addon.gradNorm([floats], '2' as never),
    () => addon.clipGrads([floats, null as never], 2, 1),
    () => addon.clipGrads([floats], 1, undefined as never),
    () => addon.clampGrads({ length: 1e9 } as never, 1),
    () => addon.scaleGrads([floats], {} as never),
    () => addon.countNonFinite(floats as never),
    () => addon.debugReduce(-1, floats, 1, 1),
  ];
  for (const call of wrong) expect(call).toThrow();
  expect([...floats]).toEqual([0, 0]);
});
