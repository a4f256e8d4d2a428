/** Warm up, hold, decay. */

import { oneOf, optional, parseArguments, real, required } from './arguments.ts';
import { mix, progressOf, remaining, SHAPES, type Shape } from './ease.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';
import { warmup } from './warmup.ts';

/** Options of `warmupStableDecay`. */
export interface WarmupStableDecayOptions {
  /** The value that is held. Default: 1. */
  readonly peak?: number;
  /** Where the rise starts. Default: 0. */
  readonly from?: number;
  /** Where the decay ends. Default: 0. */
  readonly to?: number;
  /** Steps of the rise, >= 0. Default: 0. */
  readonly warmupSteps?: number;
  /** Steps at the peak, >= 0. */
  readonly stableSteps: number;
  /** Steps of the decay, > 0. */
  readonly decaySteps: number;
  /** The way up. Default: 'linear'. */
  readonly warmupShape?: Shape;
  /** The way down. Default: 'cosine'. */
  readonly decayShape?: Shape;
}

const table = {
  peak: optional(real(), 1),
  from: optional(real(), 0),
  to: optional(real(), 0),
  warmupSteps: optional(real({ min: 0 }), 0),
  stableSteps: required(real({ min: 0 })),
  decaySteps: required(real({ above: 0 })),
  warmupShape: optional(oneOf(SHAPES), 'linear'),
  decayShape: optional(oneOf(SHAPES), 'cosine'),
};

/**
 * A rise, a plateau, a decay, then its end; Hu et al., "MiniCPM" (2024),
 * https://arxiv.org/abs/2404.06395, section 4. The plateau can be made longer at any time.
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function warmupStableDecay(options: WarmupStableDecayOptions): ScheduleFunction {
  const o = parseArguments<WarmupStableDecayOptions>(table, options, 'warmupStableDecay()');
  const decay = (step: number) => {
    const progress = progressOf(Math.max(0, step - o.stableSteps), o.decaySteps);
    return mix(o.peak, o.to, remaining(o.decayShape, progress));
  };
  const whole = warmup({ steps: o.warmupSteps, from: o.from, shape: o.warmupShape }, decay);
  return scheduleFunction('warmupStableDecay', [o], whole);
}
