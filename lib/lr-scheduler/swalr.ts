/** Annealing to a fixed lr, for stochastic weight averaging. */

import { integer, oneOf, optional, perGroup, real, required } from '../schedules/arguments.ts';
import { cos } from '../support/cosine.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import { type SchedulerSpec, spread } from './scheduler-options.ts';

/** Options of `SWALR`. */
export interface SWALROptions {
  /** The lr at the end, one or one per group, >= 0. */
  readonly swaLr: number | readonly number[];
  /** Epochs on the way, >= 0. Default: 10. */
  readonly annealEpochs?: number;
  /** The way. Default: 'cos'. */
  readonly annealStrategy?: 'cos' | 'linear';
}

const spec: SchedulerSpec<SWALROptions> = {
  name: 'SWALR',
  arguments: {
    swaLr: required(perGroup(real({ min: 0 }))),
    annealEpochs: optional(
      integer(0, (value) => `anneal_epochs must be equal or greater than 0, got ${String(value)}.`),
      10,
    ),
    annealStrategy: optional(
      oneOf(
        ['cos', 'linear'],
        (value) => `anneal_strategy must be one of 'cos' or 'linear', instead got ${value}.`,
      ),
      'cos',
    ),
  },
};

/**
 * As `torch.optim.swa_utils.SWALR`. With a = (1 - cos(πt)) / 2, or t, for t = step / annealEpochs,
 * it finds from the lr in force where the way began, and goes on from there:
 *
 *     begin = (lr - a(t before) * swaLr) / (1 - a(t before))
 *     lr = swaLr * a(t) + begin * (1 - a(t))
 *
 * Izmailov et al., "Averaging weights leads to wider optima and better generalization" (2018),
 * https://arxiv.org/abs/1803.05407.
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class SWALR extends LRScheduler<SWALROptions> {
  constructor(optimizer: SchedulableOptimizer, options: SWALROptions & LRSchedulerOptions) {
    super(spec, optimizer, options);
  }

  protected override check(): void {
    this.swaLrs();
  }

  private swaLrs(): number[] {
    return spread(this.options.swaLr, this.groups().length, 'swaLr', 'swa_lr');
  }

  protected override getLr(): number[] {
    const { annealEpochs } = this.options;
    // Its own steps are counted, not epochs: it often starts late in a run.
    const step = Math.max(annealEpochs === 0 ? 1 : 0, this.progress.stepCount - 1);
    const before = this.alpha(step - 1);
    const now = this.alpha(step);
    const goals = this.swaLrs();
    return this.groups().map(({ lr }, i) => {
      const goal = goals[i]!;
      const begin = before === 1 ? goal : (lr - before * goal) / (1 - before);
      return goal * now + begin * (1 - now);
    });
  }

  private alpha(step: number): number {
    const { annealEpochs, annealStrategy } = this.options;
    const t = Math.max(0, Math.min(1, step / Math.max(1, annealEpochs)));
    return annealStrategy === 'linear' ? t : (1 - cos(Math.PI * t)) / 2;
  }
}
