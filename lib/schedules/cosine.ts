/** Cosine annealing. */

import { cos } from '../support/cosine.ts';
import { optional, parseArguments, real, required } from './arguments.ts';
import { mix, progressOf } from './ease.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/** Options of `cosine`. */
export interface CosineOptions {
  /** The value at step 0. Default: 1. */
  readonly from?: number;
  /** The value at the bottom of the wave. Default: 0. */
  readonly to?: number;
  /** How many steps it takes, > 0. */
  readonly steps: number;
  /** Waves in these steps. Default: 0.5, which goes down once. */
  readonly cycles?: number;
}

const table = {
  from: optional(real(), 1),
  to: optional(real(), 0),
  steps: required(real({ above: 0 })),
  cycles: optional(real({ above: 0 }), 0.5),
};

/**
 * Half a cosine wave from one value to the other, then its end; Loshchilov and Hutter, "SGDR:
 * stochastic gradient descent with warm restarts" (2017), https://arxiv.org/abs/1608.03983.
 *
 *     value = to + (from - to) * (1 + cos(2π * cycles * min(1, step / steps))) / 2
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function cosine(options: CosineOptions): ScheduleFunction {
  const parsed = parseArguments<CosineOptions>(table, options, 'cosine()');
  const { from, to, steps, cycles } = parsed;
  return scheduleFunction('cosine', [parsed], (step) => {
    const angle = Math.PI * cycles * 2 * progressOf(step, steps);
    return mix(from, to, 0.5 * (1 + cos(angle)));
  });
}
