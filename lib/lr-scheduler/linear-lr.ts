/** A straight line between two factors. */

import { integer, optional, real } from '../schedules/arguments.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `LinearLR`. */
export interface LinearLROptions {
  /** The factor at epoch 0, in (0, 1]. Default: 1/3. */
  readonly startFactor?: number;
  /** The factor from epoch totalIters on, in [0, 1]. Default: 1. */
  readonly endFactor?: number;
  /** Epochs until the end, >= 0; of 0, only `step(epoch)` sees the end. Default: 5. */
  readonly totalIters?: number;
}

const START =
  'Starting multiplicative factor expected to be greater than 0 and less or equal to 1.';
const END = 'Ending multiplicative factor expected to be between 0 and 1.';

const spec: SchedulerSpec<LinearLROptions> = {
  name: 'LinearLR',
  arguments: {
    startFactor: optional(real({ above: 0, max: 1 }, START), 1 / 3),
    endFactor: optional(real({ min: 0, max: 1 }, END), 1),
    totalIters: optional(integer(0), 5),
  },
};

/**
 * As `torch.optim.lr_scheduler.LinearLR`.
 *
 *     lr = lr * startFactor at epoch 0, then until totalIters, with d = endFactor - startFactor,
 *     lr = lr * (1 + d / (totalIters * startFactor + (epoch - 1) * d))
 *     closed form: baseLr * (startFactor + d * min(totalIters, epoch) / totalIters)
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class LinearLR extends LRScheduler<LinearLROptions> {
  constructor(optimizer: SchedulableOptimizer, options: LinearLROptions & LRSchedulerOptions = {}) {
    super(spec, optimizer, options);
  }

  protected override getLr(): number[] {
    const factor = this.factor();
    return this.groups().map(({ lr }) => lr * factor);
  }

  private factor(): number {
    const { startFactor, endFactor, totalIters } = this.options;
    const change = endFactor - startFactor;
    if (this.lastEpoch === 0) return startFactor;
    if (this.lastEpoch > totalIters) return 1;
    const factor = 1 + change / (totalIters * startFactor + (this.lastEpoch - 1) * change);
    return Math.max(0, factor); // on the way to 0, rounding may end just below
  }

  protected override getClosedFormLr(): number[] {
    const { startFactor, endFactor, totalIters } = this.options;
    const done = Math.min(totalIters, this.lastEpoch);
    const rise = endFactor - startFactor;
    const factor = totalIters === 0 ? endFactor : startFactor + (rise * done) / totalIters;
    return this.baseLrs.map((base) => base * factor);
  }
}
