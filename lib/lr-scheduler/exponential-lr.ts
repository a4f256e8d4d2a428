/** A factor at every epoch. */

import { real, required } from '../schedules/arguments.ts';
import { power } from '../support/power.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `ExponentialLR`. */
export interface ExponentialLROptions {
  /** The factor, >= 0. */
  readonly gamma: number;
}

const spec: SchedulerSpec<ExponentialLROptions> = {
  name: 'ExponentialLR',
  arguments: {
    gamma: required(real({ min: 0 })),
  },
};

/**
 * As `torch.optim.lr_scheduler.ExponentialLR`.
 *
 *     lr = lr * gamma
 *     closed form: baseLr * gamma^epoch
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class ExponentialLR extends LRScheduler<ExponentialLROptions> {
  constructor(optimizer: SchedulableOptimizer, options: ExponentialLROptions & LRSchedulerOptions) {
    super(spec, optimizer, options);
  }

  protected override getLr(): number[] {
    const factor = this.lastEpoch === 0 ? 1 : this.options.gamma;
    return this.groups().map(({ lr }) => lr * factor);
  }

  protected override getClosedFormLr(): number[] {
    const factor = power(this.options.gamma, this.lastEpoch);
    return this.baseLrs.map((base) => base * factor);
  }
}
