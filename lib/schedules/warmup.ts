/** A rise before another schedule. */

import { callable, oneOf, optional, parseArguments, real, required } from './arguments.ts';
import { mix, remaining, SHAPES, type Shape } from './ease.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/** Options of `warmup`. */
export interface WarmupOptions {
  /** How many steps the rise takes, >= 0. */
  readonly steps: number;
  /** The value at step 0. Default: 0. */
  readonly from?: number;
  /** The way up. Default: 'linear'. */
  readonly shape?: Shape;
}

const table = {
  steps: required(real({ min: 0 })),
  from: optional(real(), 0),
  shape: optional(oneOf(SHAPES), 'linear'),
};

/**
 * Rises to where `next` starts, then follows it: at step `steps` it is `next(0)`.
 *
 *     value = from + (next(0) - from) * (1 - left)     left: 1 at step 0, 0 at step `steps`
 *
 * ```ts
 * warmup(100, cosine({ from: 3e-4, to: 3e-5, steps: 900 }))
 * ```
 *
 * @param options The number of steps, or more than that.
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function warmup(options: number | WarmupOptions, next: ScheduleFunction): ScheduleFunction {
  const given = typeof options === 'number' ? { steps: options } : options;
  const parsed = parseArguments<WarmupOptions>(table, given, 'warmup()');
  const { steps, from, shape } = parsed;
  const then = callable<ScheduleFunction>()(next, 'next of warmup()');
  return scheduleFunction('warmup', [parsed, then], (step) => {
    if (step >= steps) return then(step - steps);
    const peak = then(0);
    return mix(from, peak, remainingUp(shape, step / steps));
  });
}

/** What is left of the way up; '1-sqrt' is the way down turned round, slow at first. */
function remainingUp(shape: Shape, progress: number): number {
  return shape === '1-sqrt' ? Math.sqrt(1 - progress) : remaining(shape, progress);
}
