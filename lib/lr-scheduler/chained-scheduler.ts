/** Schedulers that are stepped together. */

import { isObject } from '../parameters/list-params.ts';
import { refuse } from '../schedules/arguments.ts';
import { ownProperties } from '../support/own-properties.ts';
import {
  type AnyScheduler,
  CompositeScheduler,
  checkSchedulers,
  type Parts,
  schedulersArgument,
} from './composite-scheduler.ts';
import type { SchedulableGroup, SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `ChainedScheduler`. */
export interface ChainedSchedulerOptions {
  /** The optimizer of all of them. Default: that of the first. */
  readonly optimizer?: SchedulableOptimizer;
}

const spec: SchedulerSpec<Parts> = {
  name: 'ChainedScheduler',
  arguments: { schedulers: schedulersArgument },
};

/**
 * As `torch.optim.lr_scheduler.ChainedScheduler`: one `step()` steps all, in order, each from the
 * lr that the one before has left.
 *
 * With a `ReduceLROnPlateau` among them call `step(metric)`. The others then work on the lr as it
 * would be without its reductions, so that these stay in force also beside schedulers that set the
 * lr from the base lr, such as `LambdaLR`.
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class ChainedScheduler extends CompositeScheduler<Parts> {
  constructor(schedulers: readonly AnyScheduler[], options: ChainedSchedulerOptions = {}) {
    if (!isObject(options)) refuse(options, `the options of ${spec.name} as an object`);
    const { optimizer, ...own } = ownProperties(options);
    const parts = checkSchedulers(schedulers, optimizer, spec.name, ' to be chained');
    super(spec, optimizer ?? parts[0]!.optimizer, { ...own, schedulers: parts }, [
      'groups',
      'lastEpoch',
      'initialLr',
    ]);
  }

  /** The schedulers have made their first steps when they were made. */
  protected override begin(): void {
    this.meetGroups();
    this.progress.stepCount = 1;
    this.progress.lastEpoch = this.schedulers[0]!.lastEpoch;
    this.write(this.getLr());
  }

  protected override moveParts(jumped: boolean, metrics: number | undefined): void {
    const begins = this.lastEpoch === 0;
    if (jumped) this.write(this.baseLrs);
    const reducing = this.schedulers.filter((scheduler) => scheduler.scales().size > 0);
    for (const scheduler of this.schedulers) {
      if (begins) scheduler.reset();
      if (begins) scheduler.move();
      else stepOne(scheduler, reducing, metrics);
    }
  }

  override scales(): ReadonlyMap<SchedulableGroup, number> {
    return product(this.schedulers);
  }
}

/** Steps one as if those that reduce the lr beside the schedule did not. */
function stepOne(
  scheduler: AnyScheduler,
  reducing: readonly AnyScheduler[],
  metrics: number | undefined,
): void {
  const scales = product(reducing.filter((other) => other !== scheduler));
  for (const [group, scale] of scales) if (scale > 0) group.lr /= scale;
  scheduler.move(undefined, metrics);
  for (const [group, scale] of scales) group.lr *= scale;
}

/** By how much all of these together have reduced the lr of groups. */
function product(schedulers: readonly AnyScheduler[]): ReadonlyMap<SchedulableGroup, number> {
  const scales = new Map<SchedulableGroup, number>();
  for (const [group, scale] of schedulers.flatMap((one) => [...one.scales()])) {
    scales.set(group, (scales.get(group) ?? 1) * scale);
  }
  return scales;
}
