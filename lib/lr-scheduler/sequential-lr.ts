/** One scheduler after the other. */

import { integer, listOf, refuse, required } from '../schedules/arguments.ts';
import { GradstepError } from '../support/errors.ts';
import {
  type AnyScheduler,
  type CompositeOptions,
  CompositeScheduler,
  checkSchedulers,
  type Parts,
  schedulersArgument,
} from './composite-scheduler.ts';
import type { SchedulableGroup, SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `SequentialLR`. */
export interface SequentialLROptions extends Parts {
  /** The schedulers in order, all made for this optimizer. */
  readonly schedulers: readonly AnyScheduler[];
  /** The epochs at which the next one begins: one less than there are schedulers. */
  readonly milestones: readonly number[];
}

const spec: SchedulerSpec<SequentialLROptions> = {
  name: 'SequentialLR',
  arguments: { schedulers: schedulersArgument, milestones: required(listOf(integer(0))) },
  together({ schedulers, milestones }) {
    if (milestones.length !== schedulers.length - 1) {
      throw new GradstepError(
        'ERR_INVALID_OPTION',
        'Sequential Schedulers expects number of schedulers provided to be one more than the ' +
          `number of milestone points, but got number of schedulers ${schedulers.length} and ` +
          `the number of milestones to be equal to ${milestones.length}`,
      );
    }
    if (milestones.some((milestone, i) => i > 0 && milestone < milestones[i - 1]!)) {
      refuse(milestones, 'milestones of SequentialLR to increase');
    }
  },
};

/**
 * As `torch.optim.lr_scheduler.SequentialLR`: the scheduler of an epoch is the one whose milestone
 * was passed last, and each begins with its own epoch 0 at its milestone.
 *
 * ```ts
 * new SequentialLR(optimizer, {
 *   schedulers: [
 *     new LinearLR(optimizer, { startFactor: 0.01, totalIters: 100 }),
 *     new CosineAnnealingLR(optimizer, { TMax: 900 }),
 *   ],
 *   milestones: [100],
 * });
 * ```
 *
 * Sequences and chains may stand inside one another, and `ReduceLROnPlateau` too: then call
 * `step(metric)`. A resumed run takes up every scheduler where it was.
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class SequentialLR extends CompositeScheduler<SequentialLROptions> {
  constructor(optimizer: SchedulableOptimizer, options: SequentialLROptions & CompositeOptions) {
    const schedulers = checkSchedulers(options?.schedulers, optimizer, spec.name);
    super(spec, optimizer, { ...options, schedulers });
  }

  /** How many milestones are not after an epoch: the index of its scheduler. */
  private indexAt(epoch: number): number {
    return this.options.milestones.filter((milestone) => milestone <= epoch).length;
  }

  /**
   * Making the schedulers has changed the lr: from the base lr, the epochs that are over are gone
   * through again.
   */
  protected override begin(): void {
    const { lastEpoch } = this;
    this.write(this.baseLrs);
    this.reset();
    while (this.lastEpoch <= lastEpoch) this.move();
    this.progress.stepCount = 1;
  }

  protected override moveParts(jumped: boolean, metrics: number | undefined): void {
    const { lastEpoch } = this;
    const index = this.indexAt(lastEpoch);
    const scheduler = this.schedulers[index]!;
    if (lastEpoch === 0) for (const one of this.schedulers) one.reset();
    const begins = lastEpoch === 0 ? jumped : this.options.milestones[index - 1] === lastEpoch;
    if (begins) scheduler.move(0);
    else scheduler.move(undefined, metrics);
  }

  override scales(): ReadonlyMap<SchedulableGroup, number> {
    return this.schedulers[this.indexAt(this.lastEpoch)]!.scales();
  }
}
