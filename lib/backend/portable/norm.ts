/** Norms and what clipping makes of them, line for line `native/core/norm.cc`. */

import { power } from '../../support/power.ts';
import { bufferOf, byteOffsetOf, type Floats, lengthOf } from '../../support/typed-arrays.ts';
import { refuseBusyGrads } from '../busy-memory.ts';
import type { GradientFunctions } from '../gradients.ts';
import type { Arithmetic } from './arithmetic.ts';
import { type Reduction, reductions } from './reduce.ts';

const { fround, sqrt } = Math;

function reductionOf(order: number): Reduction {
  if (order === 2) return reductions.sumOfSquares;
  if (order === 1) return reductions.sumOfAbs;
  if (order === 0) return reductions.nonZero;
  if (order === Number.POSITIVE_INFINITY) return reductions.maxAbs;
  if (order === Number.NEGATIVE_INFINITY) return reductions.minAbs;
  return { ...reductions.sumOfAbs, term: (x) => power(Math.abs(x), order) };
}

/** How a norm of one order is gathered from what each array contributes. */
export interface Norm {
  readonly reduction: Reduction;
  /**
   * The norm of norms: for order 0, how many arrays are not all zero. 0 without arrays. A float32,
   * unless only a double can hold it.
   */
  total(parts: readonly number[]): number;
}

export function normOf(order: number): Norm {
  const reduction = reductionOf(order);
  return {
    reduction,
    total(parts) {
      let result = 0;
      for (let i = 0; i < parts.length; i++) {
        const part = order === 0 ? Number(parts[i] !== 0) : parts[i]!;
        result = i === 0 ? part : reduction.join(result, part);
      }
      if (order === 2) result = sqrt(result);
      const whole = [0, 1, 2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].includes(order);
      if (!whole) result = power(result, 1 / order);
      const single = fround(result);
      return Math.abs(single) === Number.POSITIVE_INFINITY ? result : single;
    },
  };
}

/**
 * What clipping multiplies gradients by: max_norm / (total_norm + 1e-6), at most 1, in float32 as
 * torch/nn/utils/clip_grad.py, but in double for a norm that is finite and not in float32. NaN for
 * a NaN.
 */
export function clipCoefficient(totalNorm: number, maxNorm: number): number {
  const norm = fround(totalNorm);
  const inDouble = norm === Number.POSITIVE_INFINITY && Number.isFinite(totalNorm);
  // A number over a tensor is, in torch, its reciprocal times the number.
  const reciprocal = fround(1 / fround(norm + fround(1e-6)));
  const coefficient = fround(inDouble ? maxNorm / totalNorm : reciprocal * fround(maxNorm));
  return coefficient > 1 ? 1 : coefficient;
}

/** The same memory without overlaps, so that what arrays share is there once. */
function disjoint(arrays: readonly Floats[]): readonly Floats[] {
  const byBuffer = new Map<ArrayBufferLike, Floats[]>();
  for (const array of arrays) {
    const sharing = byBuffer.get(bufferOf(array));
    if (sharing === undefined) byBuffer.set(bufferOf(array), [array]);
    else sharing.push(array);
  }
  return [...byBuffer.values()].flatMap((sharing) => {
    if (sharing.length === 1) return sharing;
    const result: Floats[] = [];
    let end = -1;
    for (const array of sharing.sort((a, b) => byteOffsetOf(a) - byteOffsetOf(b))) {
      const begin = byteOffsetOf(array);
      const from = Math.max(begin, end);
      end = Math.max(end, begin + lengthOf(array) * 4);
      if (end > from) result.push(new Float32Array(bufferOf(array), from, (end - from) / 4));
    }
    return result;
  });
}

/** The functions, computed with this. */
export function gradientFunctions(arithmetic: Arithmetic): GradientFunctions {
  const treat = (grads: readonly Floats[], scale: number, bound: number) => {
    refuseBusyGrads(grads, grads.length);
    for (let i = 0; i < grads.length; i++) arithmetic.treat(grads[i]!, scale, bound);
  };
  const reduceAll = (grads: readonly Floats[], reduction: Reduction) => {
    refuseBusyGrads(grads, 0);
    const parts: number[] = [];
    for (let i = 0; i < grads.length; i++) parts[i] = arithmetic.reduce(reduction, grads[i]!);
    return parts;
  };
  return {
    gradNorm(grads, order) {
      const norm = normOf(order);
      return norm.total(reduceAll(grads, norm.reduction));
    },
    clipGrads(grads, totalNorm, maxNorm) {
      const coefficient = clipCoefficient(totalNorm, maxNorm);
      if (coefficient !== 1) treat(grads, coefficient, Number.POSITIVE_INFINITY);
    },
    clampGrads: (grads, bound) => treat(grads, 1, fround(bound)),
    scaleGrads: (grads, factor) => treat(disjoint(grads), fround(factor), Number.POSITIVE_INFINITY),
    countNonFinite: (grads) =>
      reduceAll(grads, reductions.nonFinite).reduce((sum, count) => sum + count, 0),
  };
}
