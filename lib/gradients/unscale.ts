/** Taking a loss scale out of gradients, as torch does: by its inverse, in float32. */

import { activeBackend } from '../backend/active.ts';
import { FLOAT32_MAX } from '../support/float32.ts';
import type { Floats } from '../support/typed-arrays.ts';

const { fround } = Math;

/** Whether float32 can hold a scale, and its inverse. */
export function isScale(value: number): boolean {
  const scale = fround(value);
  return scale > 0 && value <= FLOAT32_MAX && inverseOf(scale) <= FLOAT32_MAX;
}

function inverseOf(scale: number): number {
  return fround(1 / scale);
}

/** Multiplies every gradient by the inverse. */
export function unscale(grads: readonly Floats[], scale: number): void {
  const inverse = inverseOf(scale);
  if (inverse !== 1) activeBackend().scaleGrads(grads, inverse);
}

/** Whether gradients that are finite would not be without a scale, one below 1. */
export function overflowsWithout(scale: number, grads: readonly Floats[]): boolean {
  const inverse = inverseOf(scale);
  if (inverse <= 1) return false;
  const most = activeBackend().gradNorm(grads, Number.POSITIVE_INFINITY);
  return most * inverse > FLOAT32_MAX;
}
