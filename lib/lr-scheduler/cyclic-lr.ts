/** A triangular wave of the lr, with momentum against it. */

import {
  callable,
  flag,
  omissible,
  oneOf,
  optional,
  perGroup,
  real,
  required,
} from '../schedules/arguments.ts';
import { power } from '../support/power.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import { checkMomentum } from './momentum.ts';
import { notAboveEnds } from './rounding.ts';
import type { SchedulableGroup, SchedulableOptimizer } from './scheduled-groups.ts';
import { type SchedulerSpec, spread } from './scheduler-options.ts';

/** Options of `CyclicLR`. */
export interface CyclicLROptions {
  /** The least lr, one or one per group, >= 0. */
  readonly baseLr: number | readonly number[];
  /** The largest lr of the first cycle, one or one per group. */
  readonly maxLr: number | readonly number[];
  /** Steps of the way up, > 0. Default: 2000. */
  readonly stepSizeUp?: number;
  /** Steps of the way down, >= 0: without any, a sawtooth. Default: stepSizeUp. */
  readonly stepSizeDown?: number | undefined;
  /** How the height changes: not at all, halved every cycle, or by gamma every step. */
  readonly mode?: 'triangular' | 'triangular2' | 'exp_range';
  /** The factor of 'exp_range'. Default: 1. */
  readonly gamma?: number;
  /** The factor on the height, instead of `mode`. */
  readonly scaleFn?: ((x: number) => number) | undefined;
  /** What `scaleFn` is given: the cycle's number from 1, or the step. Default: 'cycle'. */
  readonly scaleMode?: 'cycle' | 'iterations';
  /** Move momentum, or beta1, against the lr. Default: true. */
  readonly cycleMomentum?: boolean;
  /** The least momentum, one or one per group. Default: 0.8. */
  readonly baseMomentum?: number | readonly number[];
  /** The largest momentum, where lr is least. Default: 0.9. */
  readonly maxMomentum?: number | readonly number[];
}

const MODES = ['triangular', 'triangular2', 'exp_range'] as const;

const spec: SchedulerSpec<CyclicLROptions> = {
  name: 'CyclicLR',
  arguments: {
    baseLr: required(perGroup(real({ min: 0 }))),
    maxLr: required(perGroup(real({ min: 0 }))),
    stepSizeUp: optional(real({ above: 0 }), 2000),
    stepSizeDown: omissible(real({ min: 0 })),
    mode: optional(
      oneOf(MODES, () => 'mode is invalid and scale_fn is None.'),
      'triangular',
    ),
    gamma: optional(real(), 1),
    scaleFn: omissible(callable<(x: number) => number>()),
    scaleMode: optional(oneOf(['cycle', 'iterations']), 'cycle'),
    cycleMomentum: optional(flag, true),
    baseMomentum: optional(perGroup(real({ min: 0 })), 0.8),
    maxMomentum: optional(perGroup(real({ min: 0 })), 0.9),
  },
};

/**
 * As `torch.optim.lr_scheduler.CyclicLR`; call `step()` after every batch.
 *
 *     height = how far up the triangle epoch lies, in [0, 1], times the scale of its mode
 *     lr = baseLr + (maxLr - baseLr) * height
 *     momentum = maxMomentum - (maxMomentum - baseMomentum) * height
 *
 * Smith, "Cyclical learning rates for training neural networks" (2017),
 * https://arxiv.org/abs/1506.01186.
 *
 * @throws {GradstepError} As `LRScheduler`; also when the optimizer has neither momentum nor betas.
 */
export class CyclicLR extends LRScheduler<CyclicLROptions> {
  constructor(optimizer: SchedulableOptimizer, options: CyclicLROptions & LRSchedulerOptions) {
    super(spec, optimizer, options);
  }

  protected override check(): void {
    if (this.options.cycleMomentum) checkMomentum(this.optimizer);
    this.spread('maxLr', 'max_lr');
    this.spread('baseLr', 'base_lr');
    this.spread('baseMomentum', 'base_momentum');
    this.spread('maxMomentum', 'max_momentum');
  }

  private spread(
    name: 'baseLr' | 'maxLr' | 'baseMomentum' | 'maxMomentum',
    torch: string,
  ): number[] {
    return spread(this.options[name], this.groups().length, name, torch);
  }

  protected override firstLr(_group: SchedulableGroup, index: number, count: number): number {
    return spread(this.options.baseLr, count, 'baseLr', 'base_lr')[index]!;
  }

  /** How far up the triangle, in [0, 1], and the scale of this cycle or step. */
  private height(): { triangle: number; scale: number } {
    const { stepSizeUp: up, stepSizeDown: down = up } = this.options;
    const epoch = this.lastEpoch;
    const total = up + down;
    const ratio = up / total;
    const cycle = Math.floor(1 + epoch / total);
    const x = 1 + epoch / total - cycle;
    const triangle = x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
    return { triangle, scale: this.scale(cycle, epoch) };
  }

  private scale(cycle: number, epoch: number): number {
    const { scaleFn, scaleMode, mode, gamma } = this.options;
    if (scaleFn) return scaleFn(scaleMode === 'cycle' ? cycle : epoch);
    if (mode === 'exp_range') {
      const sign = gamma < 0 && epoch % 2 === 1 ? -1 : 1;
      return sign * power(Math.abs(gamma), epoch);
    }
    return mode === 'triangular2' ? power(0.5, cycle - 1) : 1;
  }

  protected override getLr(): number[] {
    const { triangle, scale } = this.height();
    const tops = this.spread('maxLr', 'max_lr');
    return this.spread('baseLr', 'base_lr').map(
      (base, i) => base + (tops[i]! - base) * triangle * scale,
    );
  }

  protected override getMomentum(): number[] | undefined {
    if (!this.options.cycleMomentum) return undefined;
    const { triangle, scale } = this.height();
    const bases = this.spread('baseMomentum', 'base_momentum');
    return this.spread('maxMomentum', 'max_momentum').map((max, i) => {
      const base = bases[i]!;
      return notAboveEnds(max - (max - base) * triangle * scale, base, max);
    });
  }
}
