/** Decay by the inverse square root. */

import { optional, parseArguments, real, required } from './arguments.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/** Options of `inverseSqrt`. */
export interface InverseSqrtOptions {
  /** The value at step 0. Default: 1. */
  readonly from?: number;
  /** Steps until the value has fallen to 1/√2 of it, > 0; usually the warm-up's length. */
  readonly timescale: number;
}

const table = {
  from: optional(real(), 1),
  timescale: required(real({ above: 0 })),
};

/**
 * The decay of the Transformer's schedule, without an end; Vaswani et al., "Attention is all you
 * need" (2017), https://arxiv.org/abs/1706.03762, section 5.3.
 *
 *     value = from / √((step + timescale) / timescale)
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function inverseSqrt(options: InverseSqrtOptions): ScheduleFunction {
  const parsed = parseArguments<InverseSqrtOptions>(table, options, 'inverseSqrt()');
  const { from, timescale } = parsed;
  return scheduleFunction('inverseSqrt', [parsed], (step) => {
    return from / Math.sqrt((step + timescale) / timescale);
  });
}
