/** Cosine annealing that starts again, in cycles that may grow. */

import { integer, optional, real, required } from '../schedules/arguments.ts';
import { cycleAt } from '../schedules/cycle.ts';
import { checkStep } from '../schedules/schedule-function.ts';
import { cos } from '../support/cosine.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `CosineAnnealingWarmRestarts`. */
export interface CosineAnnealingWarmRestartsOptions {
  /** Epochs of the first cycle, >= 1. */
  readonly T0: number;
  /** How much longer each cycle is than the one before, an integer >= 1. Default: 1. */
  readonly TMult?: number;
  /** The least lr, >= 0. Default: 0. */
  readonly etaMin?: number;
}

/** Epochs since the last restart, and the length of this cycle; not known before epoch 0. */
interface Cycle {
  TCur: number;
  Ti: number;
}

const spec: SchedulerSpec<CosineAnnealingWarmRestartsOptions, Cycle> = {
  name: 'CosineAnnealingWarmRestarts',
  arguments: {
    T0: required(integer(1, (value) => `Expected positive integer T_0, but got ${String(value)}.`)),
    TMult: optional(
      integer(1, (value) => `Expected integer T_mult >= 1, but got ${String(value)}.`),
      1,
    ),
    etaMin: optional(real({ min: 0 }, 'Expected float or int eta_min.'), 0),
  },
  progress: { TCur: 0, Ti: 0 },
};

/**
 * As `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`.
 *
 *     lr = etaMin + (baseLr - etaMin) * (1 + cos(π TCur / Ti)) / 2
 *
 * `step(epoch)` takes fractions: `step(epoch + i / batches)`. An lr that is edited between steps
 * is overwritten by the next one. Loshchilov and Hutter, "SGDR: stochastic gradient descent with
 * warm restarts" (2017), https://arxiv.org/abs/1608.03983.
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler<
  CosineAnnealingWarmRestartsOptions,
  Cycle
> {
  constructor(
    optimizer: SchedulableOptimizer,
    options: CosineAnnealingWarmRestartsOptions & LRSchedulerOptions,
  ) {
    super(spec, optimizer, options);
  }

  override step(epoch?: number): void {
    if (epoch !== undefined && !(epoch >= 0)) {
      checkStep(epoch, `Expected non-negative epoch, but got ${epoch}.`);
    }
    super.step(epoch);
  }

  protected override update(jumped: boolean, metrics: number | undefined): void {
    const { progress } = this;
    if (jumped || progress.stepCount === 1) {
      this.place(progress.lastEpoch);
      progress.lastEpoch = Math.floor(progress.lastEpoch);
    } else {
      progress.TCur++;
      if (progress.TCur >= progress.Ti) {
        progress.TCur %= progress.Ti;
        progress.Ti *= this.options.TMult;
      }
    }
    super.update(jumped, metrics);
  }

  private place(epoch: number): void {
    const { start, length } = cycleAt(epoch, this.options.T0, this.options.TMult);
    this.progress.TCur = epoch - start;
    this.progress.Ti = length;
  }

  protected override getLr(): number[] {
    const { etaMin } = this.options;
    const { TCur, Ti } = this.progress;
    const wave = 1 + cos((Math.PI * TCur) / Ti);
    return this.baseLrs.map((base) => etaMin + ((base - etaMin) * wave) / 2);
  }
}
