/**
 * Sums, maxima and counts in the order that `native/kernels/reduction.h` defines: blocks of 4,096
 * elements, 16 lanes by index, joined as a tree.
 */

import { type Floats, lengthOf } from '../../support/typed-arrays.ts';

const { abs, fround, max, min } = Math;

/** The number of elements in a block. */
export const REDUCE_BLOCK = 4096;
const LANES = 16;

/** One reduction: what each value becomes, and how two results are joined. */
export interface Reduction {
  readonly start: number;
  readonly term: (x: number) => number;
  readonly join: (a: number, b: number) => number;
}

const add = (a: number, b: number) => a + b;

/** As the enumeration `Reduction` in C++, in its order. */
export const reductions = {
  sumOfSquares: { start: 0, term: (x) => x * x, join: add },
  sumOfAbs: { start: 0, term: abs, join: add },
  maxAbs: { start: 0, term: abs, join: max }, // NaN if any is NaN
  minAbs: { start: Number.POSITIVE_INFINITY, term: abs, join: min },
  nonZero: { start: 0, term: (x) => (x === 0 ? 0 : 1), join: add },
  nonFinite: { start: 0, term: (x) => (Number.isFinite(x) ? 0 : 1), join: add },
} as const satisfies Record<string, Reduction>;

/** A value after `mul_(scale)` and `clamp_(-bound, bound)`. */
export function treated(x: number, scale: number, bound: number): number {
  const y = fround(x * scale);
  return y < -bound ? -bound : y > bound ? bound : y;
}

/** Reduces [begin, end) of an array, at most one block, of values that are treated first. */
export function reduceBlock(
  { start, term, join }: Reduction,
  array: Floats,
  begin: number,
  end: number,
  scale = 1,
  bound: number = Number.POSITIVE_INFINITY,
): number {
  const lanes = new Float64Array(LANES).fill(start);
  for (let i = begin; i < end; i++) {
    const lane = (i - begin) % LANES;
    lanes[lane] = join(lanes[lane]!, term(treated(array[i]!, scale, bound)));
  }
  for (let half = LANES / 2; half >= 1; half /= 2) {
    for (let j = 0; j < half; j++) lanes[j] = join(lanes[j]!, lanes[j + half]!);
  }
  return lanes[0]!;
}

/** Multiplies and clamps in place. */
export function treatArray(array: Floats, scale: number, bound: number): void {
  const length = lengthOf(array);
  for (let i = 0; i < length; i++) array[i] = treated(array[i]!, scale, bound);
}

const squareLanes = new Float64Array(LANES);

/** The sum of the squares of `at(i)` for each i below `length`, in the same order. */
export function sumOfSquares(length: number, at: (i: number) => number): number {
  let sum = 0;
  for (let begin = 0; begin < length; begin += REDUCE_BLOCK) {
    const lanes = squareLanes.fill(0);
    const end = min(length, begin + REDUCE_BLOCK);
    for (let i = begin; i < end; i++) {
      const x = at(i);
      lanes[(i - begin) % LANES]! += x * x;
    }
    for (let half = LANES / 2; half >= 1; half /= 2) {
      for (let j = 0; j < half; j++) lanes[j]! += lanes[j + half]!;
    }
    sum += lanes[0]!;
  }
  return sum;
}

/** Reduces an array: its blocks, joined in their order. */
export function reduceArray(
  reduction: Reduction,
  array: Floats,
  scale?: number,
  bound?: number,
  length: number = lengthOf(array),
): number {
  let result = reduceBlock(reduction, array, 0, min(length, REDUCE_BLOCK), scale, bound);
  for (let i = REDUCE_BLOCK; i < length; i += REDUCE_BLOCK) {
    const block = reduceBlock(reduction, array, i, min(length, i + REDUCE_BLOCK), scale, bound);
    result = reduction.join(result, block);
  }
  return result;
}
