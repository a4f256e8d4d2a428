/** A function of the epoch times the base lr. */

import { callable, perGroup, required } from '../schedules/arguments.ts';
import type { ScheduleFunction } from '../schedules/schedule-function.ts';
import { lambdasFor } from './lambdas.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `LambdaLR`. */
export interface LambdaLROptions {
  /** The factor at an epoch: one function, or one for each group. */
  readonly lrLambda: ScheduleFunction | readonly ScheduleFunction[];
}

const spec: SchedulerSpec<LambdaLROptions> = {
  name: 'LambdaLR',
  arguments: {
    lrLambda: required(perGroup(callable('lr_lambda should be a function.'))),
  },
};

/**
 * As `torch.optim.lr_scheduler.LambdaLR`.
 *
 *     lr = baseLr * lrLambda(epoch)
 *
 * An lr that is edited between steps is overwritten by the next one.
 *
 * ```ts
 * new LambdaLR(optimizer, { lrLambda: (epoch) => 0.95 ** epoch });
 * ```
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class LambdaLR extends LRScheduler<LambdaLROptions> {
  constructor(optimizer: SchedulableOptimizer, options: LambdaLROptions & LRSchedulerOptions) {
    super(spec, optimizer, options);
  }

  protected override check(): void {
    lambdasFor(this.options.lrLambda, this.groups().length);
  }

  protected override getLr(): number[] {
    const bases = this.baseLrs;
    const lambdas = lambdasFor(this.options.lrLambda, bases.length);
    return bases.map((base, i) => base * lambdas[i]!(this.lastEpoch));
  }
}
