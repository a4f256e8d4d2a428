/**
 * What norms, clipping and loss scaling need from below, over gradients of any optimizer or none.
 * Callers have proven that every array is there and not empty; nothing is kept after a call.
 */

import type { Floats } from '../support/typed-arrays.ts';

export interface GradientFunctions {
  /**
   * The p-norm over all elements of all arrays, as a float32 if that can hold it; the order of the
   * sum is that of `native/kernels/reduction.h`, the same everywhere.
   * @param order p: any number but NaN.
   */
  gradNorm(grads: readonly Floats[], order: number): number;
  /** Multiplies by torch's clipping coefficient for these two norms. */
  clipGrads(grads: readonly Floats[], totalNorm: number, maxNorm: number): void;
  /** Clamps to [-bound, bound]; NaN stays NaN. */
  clampGrads(grads: readonly Floats[], bound: number): void;
  /** Multiplies by a float32: every element once, though arrays may share it. */
  scaleGrads(grads: readonly Floats[], factor: number): void;
  /** How many elements are infinite or NaN. */
  countNonFinite(grads: readonly Floats[]): number;
}
