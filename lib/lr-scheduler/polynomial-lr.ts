/** Polynomial decay to 0. */

import { integer, optional, real } from '../schedules/arguments.ts';
import { power } from '../support/power.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `PolynomialLR`. */
export interface PolynomialLROptions {
  /** Epochs until 0, >= 0; of 0, only `step(epoch)` sees the end. Default: 5. */
  readonly totalIters?: number;
  /** The exponent. Default: 1. */
  readonly power?: number;
}

const spec: SchedulerSpec<PolynomialLROptions> = {
  name: 'PolynomialLR',
  arguments: {
    totalIters: optional(integer(0), 5),
    power: optional(real({ min: 0 }), 1),
  },
};

/**
 * As `torch.optim.lr_scheduler.PolynomialLR`.
 *
 *     lr = lr * ((1 - epoch / totalIters) / (1 - (epoch - 1) / totalIters))^power
 *     closed form: baseLr * (1 - min(totalIters, epoch) / totalIters)^power
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class PolynomialLR extends LRScheduler<PolynomialLROptions> {
  constructor(
    optimizer: SchedulableOptimizer,
    options: PolynomialLROptions & LRSchedulerOptions = {},
  ) {
    super(spec, optimizer, options);
  }

  protected override getLr(): number[] {
    const { totalIters, power: exponent } = this.options;
    const epoch = this.lastEpoch;
    if (epoch === 0 || epoch > totalIters) return this.groups().map(({ lr }) => lr);
    const left = (1 - epoch / totalIters) / (1 - (epoch - 1) / totalIters);
    const factor = power(left, exponent);
    return this.groups().map(({ lr }) => lr * factor);
  }

  protected override getClosedFormLr(): number[] {
    const { totalIters, power: exponent } = this.options;
    const left = totalIters === 0 ? 0 : 1 - Math.min(totalIters, this.lastEpoch) / totalIters;
    const factor = power(left, exponent);
    return this.baseLrs.map((base) => base * factor);
  }
}
