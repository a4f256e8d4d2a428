/** Exponential decay. */

import { power } from '../support/power.ts';
import { flag, omissible, optional, parseArguments, real, required } from './arguments.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/** Options of `exponential`. */
export interface ExponentialOptions {
  /** The value at step 0. Default: 1. */
  readonly from?: number;
  /** The factor per `steps` steps, > 0. */
  readonly gamma: number;
  /** How many steps make one factor. Default: 1. */
  readonly steps?: number;
  /** Multiply at once, every `steps` steps, instead of a little at each. Default: false. */
  readonly staircase?: boolean;
  /** Where it stops: the least value when it falls, the largest when it grows. Default: none. */
  readonly to?: number;
}

const table = {
  from: optional(real(), 1),
  gamma: required(real({ above: 0 })),
  steps: optional(real({ above: 0 }), 1),
  staircase: optional(flag, false),
  to: omissible(real()),
};

/**
 * A factor per step, or per `steps` steps.
 *
 *     value = from * gamma^(step / steps)       staircase: gamma^⌊step / steps⌋
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function exponential(options: ExponentialOptions): ScheduleFunction {
  const parsed = parseArguments<ExponentialOptions>(table, options, 'exponential()');
  const { from, gamma, steps, staircase, to } = parsed as typeof parsed & { to?: number };
  const falls = from * (gamma - 1) < 0;
  const { to: _, ...shown } = parsed;
  const args = [to === undefined ? shown : parsed];
  return scheduleFunction('exponential', args, (step) => {
    const count = staircase ? Math.floor(step / steps) : step / steps;
    const value = from * power(gamma, count);
    if (to === undefined) return value;
    return falls ? Math.max(to, value) : Math.min(to, value);
  });
}
