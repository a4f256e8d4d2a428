/**
 * What an optimizer does beside its rule, and what it says of its last step, as both languages
 * lay it out in doubles: `native/core/step_options.h`.
 */

/** Places in the struct of options. */
export const OPTION = {
  gradScale: 0,
  clipValue: 1,
  maxGradNorm: 2,
  normType: 3,
  clipScope: 4,
  onNonFinite: 5,
  maxConsecutiveSkips: 6,
  zeroGradInStep: 7,
  flushDenormals: 8,
  numThreads: 9,
} as const;

/** Options under which a step does nothing beside its rule. */
export const PLAIN_OPTIONS: Float64Array<ArrayBufferLike> = Float64Array.of(
  1,
  Number.POSITIVE_INFINITY,
  -1,
  2,
  0,
  0,
  0,
  0,
  0,
  0,
);

/** Places in the struct of the report. */
export const REPORT = {
  stepped: 0,
  gradNorm: 1,
  nonFinite: 2,
  skipped: 3,
  consecutiveSkips: 4,
} as const;

/** Values of `clipScope`, in order. */
export const CLIP_SCOPES = ['global', 'group', 'param'] as const;

/** Values of `onNonFinite`, in order. */
export const ON_NON_FINITE = ['apply', 'skip', 'error'] as const;
