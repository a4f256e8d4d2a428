/** A factor at given epochs. */

import { integer, listOf, optional, real, required } from '../schedules/arguments.ts';
import { power } from '../support/power.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `MultiStepLR`. */
export interface MultiStepLROptions {
  /** The epochs that decay, >= 0, in any order; one that stands twice decays twice. */
  readonly milestones: readonly number[];
  /** The factor, >= 0. Default: 0.1. */
  readonly gamma?: number;
}

const spec: SchedulerSpec<MultiStepLROptions> = {
  name: 'MultiStepLR',
  arguments: {
    milestones: required(listOf(integer(0))),
    gamma: optional(real({ min: 0 }), 0.1),
  },
};

/**
 * As `torch.optim.lr_scheduler.MultiStepLR`.
 *
 *     lr = lr * gamma^(how often epoch is among milestones)
 *     closed form: baseLr * gamma^(how many milestones are not after epoch)
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class MultiStepLR extends LRScheduler<MultiStepLROptions> {
  constructor(optimizer: SchedulableOptimizer, options: MultiStepLROptions & LRSchedulerOptions) {
    super(spec, optimizer, options);
  }

  protected override getLr(): number[] {
    const { milestones, gamma } = this.options;
    const times = milestones.filter((milestone) => milestone === this.lastEpoch).length;
    return this.groups().map(({ lr }) => (times > 0 ? lr * power(gamma, times) : lr));
  }

  protected override getClosedFormLr(): number[] {
    const { milestones, gamma } = this.options;
    const times = milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    return this.baseLrs.map((base) => base * power(gamma, times));
  }
}
