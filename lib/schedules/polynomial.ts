/** Polynomial decay. */

import { power } from '../support/power.ts';
import { optional, parseArguments, real, required } from './arguments.ts';
import { mix, progressOf } from './ease.ts';
import type { LinearOptions } from './linear.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/** Options of `polynomial`. */
export interface PolynomialOptions extends LinearOptions {
  /** The exponent, > 0. Default: 1, a straight line. */
  readonly power?: number;
}

const table = {
  from: optional(real(), 1),
  to: optional(real(), 0),
  steps: required(real({ above: 0 })),
  power: optional(real({ above: 0 }), 1),
};

/**
 * A power of what is left of the way, then its end.
 *
 *     value = to + (from - to) * (1 - min(1, step / steps))^power
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function polynomial(options: PolynomialOptions): ScheduleFunction {
  const parsed = parseArguments<PolynomialOptions>(table, options, 'polynomial()');
  const { from, to, steps, power: exponent } = parsed;
  return scheduleFunction('polynomial', [parsed], (step) => {
    return mix(from, to, power(1 - progressOf(step, steps), exponent));
  });
}
