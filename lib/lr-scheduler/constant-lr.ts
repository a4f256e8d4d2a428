/** A lower lr for the first epochs. */

import { integer, optional, real } from '../schedules/arguments.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `ConstantLR`. */
export interface ConstantLROptions {
  /** The factor until then, in [0, 1]. Default: 1/3. */
  readonly factor?: number;
  /** The epoch at which the lr comes back, >= 0; from 0 it never does. Default: 5. */
  readonly totalIters?: number;
}

const spec: SchedulerSpec<ConstantLROptions> = {
  name: 'ConstantLR',
  arguments: {
    factor: optional(
      real({ min: 0, max: 1 }, 'Constant multiplicative factor expected to be between 0 and 1.'),
      1 / 3,
    ),
    totalIters: optional(integer(0), 5),
  },
};

/**
 * As `torch.optim.lr_scheduler.ConstantLR`.
 *
 *     lr = lr * factor at epoch 0, lr * (1 / factor) at epoch totalIters
 *     closed form: baseLr * (epoch < totalIters ? factor : 1)
 *
 * With a factor of 0, or so small that torch divides by nothing, the base lr comes back.
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class ConstantLR extends LRScheduler<ConstantLROptions> {
  constructor(
    optimizer: SchedulableOptimizer,
    options: ConstantLROptions & LRSchedulerOptions = {},
  ) {
    super(spec, optimizer, options);
  }

  protected override getLr(): number[] {
    const { factor, totalIters } = this.options;
    const lrs = this.groups().map(({ lr }) => lr);
    if (this.lastEpoch === 0) return lrs.map((lr) => lr * factor);
    if (this.lastEpoch !== totalIters) return lrs;
    const back = 1 / factor;
    return Number.isFinite(back) ? lrs.map((lr) => lr * back) : this.baseLrs;
  }

  protected override getClosedFormLr(): number[] {
    const { factor, totalIters } = this.options;
    const over = this.lastEpoch >= totalIters ? 1 : 0;
    return this.baseLrs.map((base) => base * (factor + over * (1 - factor)));
  }
}
