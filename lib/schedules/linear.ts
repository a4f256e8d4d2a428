/** A straight line between two values. */

import { optional, parseArguments, real, required } from './arguments.ts';
import { mix, progressOf } from './ease.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/** Options of `linear`. */
export interface LinearOptions {
  /** The value at step 0. Default: 1. */
  readonly from?: number;
  /** The value at step `steps` and after it. Default: 0. */
  readonly to?: number;
  /** How many steps it takes, > 0. */
  readonly steps: number;
}

const table = {
  from: optional(real(), 1),
  to: optional(real(), 0),
  steps: required(real({ above: 0 })),
};

/**
 * A straight line, then its end.
 *
 *     value = from + (to - from) * min(1, step / steps)
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function linear(options: LinearOptions): ScheduleFunction {
  const parsed = parseArguments<LinearOptions>(table, options, 'linear()');
  const { from, to, steps } = parsed;
  return scheduleFunction('linear', [parsed], (step) => {
    return mix(from, to, 1 - progressOf(step, steps));
  });
}
