/** A factor every so many epochs. */

import { integer, optional, real, required } from '../schedules/arguments.ts';
import { power } from '../support/power.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `StepLR`. */
export interface StepLROptions {
  /** Epochs between decays, >= 1. */
  readonly stepSize: number;
  /** The factor, >= 0. Default: 0.1. */
  readonly gamma?: number;
}

const spec: SchedulerSpec<StepLROptions> = {
  name: 'StepLR',
  arguments: {
    stepSize: required(integer(1)),
    gamma: optional(real({ min: 0 }), 0.1),
  },
};

/**
 * As `torch.optim.lr_scheduler.StepLR`.
 *
 *     lr = lr * gamma                               when epoch > 0 is a multiple of stepSize
 *     closed form: baseLr * gamma^⌊epoch / stepSize⌋
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class StepLR extends LRScheduler<StepLROptions> {
  constructor(optimizer: SchedulableOptimizer, options: StepLROptions & LRSchedulerOptions) {
    super(spec, optimizer, options);
  }

  protected override getLr(): number[] {
    const { stepSize, gamma } = this.options;
    const decays = this.lastEpoch !== 0 && this.lastEpoch % stepSize === 0;
    return this.groups().map(({ lr }) => (decays ? lr * gamma : lr));
  }

  protected override getClosedFormLr(): number[] {
    const { stepSize, gamma } = this.options;
    const factor = power(gamma, Math.floor(this.lastEpoch / stepSize));
    return this.baseLrs.map((base) => base * factor);
  }
}
