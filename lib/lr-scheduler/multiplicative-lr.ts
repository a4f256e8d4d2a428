/** A factor per epoch on the lr in force. */

import { callable, perGroup, required } from '../schedules/arguments.ts';
import type { LambdaLROptions } from './lambda-lr.ts';
import { lambdasFor } from './lambdas.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `MultiplicativeLR`. */
export type MultiplicativeLROptions = LambdaLROptions;

const spec: SchedulerSpec<MultiplicativeLROptions> = {
  name: 'MultiplicativeLR',
  arguments: {
    lrLambda: required(perGroup(callable('lr_lambda should be a function.'))),
  },
};

/**
 * As `torch.optim.lr_scheduler.MultiplicativeLR`.
 *
 *     lr = lr * lrLambda(epoch)        from epoch 1 on
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class MultiplicativeLR extends LRScheduler<MultiplicativeLROptions> {
  constructor(
    optimizer: SchedulableOptimizer,
    options: MultiplicativeLROptions & LRSchedulerOptions,
  ) {
    super(spec, optimizer, options);
  }

  protected override check(): void {
    lambdasFor(this.options.lrLambda, this.groups().length);
  }

  protected override getLr(): number[] {
    const groups = this.groups();
    const lambdas = lambdasFor(this.options.lrLambda, groups.length);
    const factor = (i: number) => (this.lastEpoch > 0 ? lambdas[i]!(this.lastEpoch) : 1);
    return groups.map(({ lr }, i) => lr * factor(i));
  }
}
