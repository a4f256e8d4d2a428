/** A schedule again and again. */

import { power } from '../support/power.ts';
import { callable, optional, parseArguments, real, required } from './arguments.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/** Options of `cycle`. */
export interface CycleOptions {
  /** Steps of the first cycle, > 0. */
  readonly steps: number;
  /**
   * How much longer each cycle is than the one before, > 0. Below 1 they become shorter, until one
   * would be shorter than a step: then the last value is held. Default: 1.
   */
  readonly mult?: number;
  /** The factor on the values of each cycle over the one before. Default: 1. */
  readonly gamma?: number;
}

const table = {
  steps: required(real({ above: 0 })),
  mult: optional(real({ above: 0 }), 1),
  gamma: optional(real({ min: 0 }), 1),
};

/**
 * Starts `schedule` again every `steps` steps. With `mult`, every cycle is that much longer than
 * the one before and passes through the same values more slowly, as in SGDR
 * (https://arxiv.org/abs/1608.03983).
 *
 * ```ts
 * cycle(cosine({ steps: 10 }), { steps: 10, mult: 2 }) // as CosineAnnealingWarmRestarts
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function cycle(schedule: ScheduleFunction, options: CycleOptions): ScheduleFunction {
  const inner = callable<ScheduleFunction>()(schedule, 'the schedule of cycle()');
  const parsed = parseArguments<CycleOptions>(table, options, 'cycle()');
  const { steps, mult, gamma } = parsed;
  return scheduleFunction('cycle', [inner, parsed], (step) => {
    const { index, start, length } = cycleAt(step, steps, mult);
    const progress = Math.min(1, (step - start) / length);
    return inner(progress * steps) * power(gamma, index);
  });
}

/**
 * The cycle that a step lies in, when each is `mult` times as long as the one before; the last of
 * those that become shorter has no end. Found by walking, not by a logarithm, which rounds to the
 * wrong side at a cycle's first step.
 * @internal
 */
export function cycleAt(
  step: number,
  steps: number,
  mult: number,
): { index: number; start: number; length: number } {
  if (mult === 1) {
    const index = Math.floor(step / steps);
    return { index, start: step - (step % steps), length: steps };
  }
  let index = 0;
  let start = 0;
  let length = steps;
  while (step >= start + length && (mult > 1 || length * mult >= 1)) {
    start += length;
    length *= mult;
    index++;
  }
  return { index, start, length };
}
