/** What `SequentialLR` and `ChainedScheduler` share: schedulers inside, stepped by this one. */

import { isObject } from '../parameters/list-params.ts';
import { type Argument, unknownArgument } from '../schedules/arguments.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { LRScheduler } from './lr-scheduler.ts';
import type { SchedulableGroup, SchedulableOptimizer } from './scheduled-groups.ts';
import type { LRSchedulerOptions, SchedulerSpec } from './scheduler-options.ts';
import type { SchedulerState } from './scheduler-state.ts';
import { warnOfOrder } from './step-order.ts';

/** A scheduler of any kind. */
// biome-ignore lint/suspicious/noExplicitAny: hyperparameters of any kind
export type AnyScheduler = LRScheduler<any, any>;

/** The argument of that name; `checkSchedulers` has looked at it, since it needs the optimizer. */
export const schedulersArgument: Argument<readonly AnyScheduler[]> = {
  check: (value) => value as readonly AnyScheduler[],
  required: true,
  fixed: true,
};

/** The schedulers, checked in torch's words. */
export function checkSchedulers(
  schedulers: unknown,
  optimizer: SchedulableOptimizer | undefined,
  name: string,
  purpose = '',
): readonly AnyScheduler[] {
  if (!Array.isArray(schedulers) || schedulers.length === 0) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `${name} expects at least one scheduler${purpose}, but got no scheduler. ` +
        `Expected schedulers to be a list but received ${describe(schedulers)}`,
    );
  }
  const of = optimizer ?? (schedulers[0] as AnyScheduler | undefined)?.optimizer;
  schedulers.forEach((scheduler: unknown, i) => {
    if (!isObject(scheduler) || !(scheduler instanceof LRScheduler)) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `${name} at index ${i} should have \`optimizer\` as its attribute. ` +
          `Expected a scheduler but received ${describe(scheduler)}`,
      );
    }
    if (scheduler.optimizer !== of) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `${name} expects all schedulers to belong to the same optimizer, but got scheduler ` +
          `${scheduler.constructor.name} at index ${i} that belongs to another`,
      );
    }
  });
  return Object.freeze([...schedulers]) as readonly AnyScheduler[];
}

/** What every composite is made from. */
export interface Parts {
  readonly schedulers: readonly AnyScheduler[];
}

/** Options of a composite that are every scheduler's. */
export interface CompositeOptions {
  /**
   * The last epoch that is over when a run is resumed without a state dict: the epochs until then
   * are gone through again, from the base lrs. Default: -1.
   */
  readonly lastEpoch?: number;
}

/** A scheduler made of others. It has no groups of its own. */
export abstract class CompositeScheduler<O extends Parts> extends LRScheduler<O> {
  protected constructor(
    spec: SchedulerSpec<O>,
    optimizer: SchedulableOptimizer,
    options: O & CompositeOptions,
    foreignOptions: readonly (keyof LRSchedulerOptions)[] = ['groups', 'initialLr'],
  ) {
    const foreign = foreignOptions.find((key) => Object.hasOwn(options, key));
    if (foreign) throw unknownArgument(foreign, Object.keys(spec.arguments), spec.name);
    super(spec, optimizer, options);
  }

  /** The schedulers inside. */
  get schedulers(): readonly AnyScheduler[] {
    return (this.options as Parts).schedulers;
  }

  /** The groups of all schedulers inside. */
  protected override groups(): SchedulableGroup[] {
    return this.optimizer.paramGroups.filter((group, i) =>
      this.schedulers.some((scheduler) => scheduler.schedules(group, i)),
    );
  }

  override schedules(group: SchedulableGroup, index: number): boolean {
    return this.schedulers.some((scheduler) => scheduler.schedules(group, index));
  }

  protected override getLr(): number[] {
    return this.groups().map(({ lr }) => lr);
  }

  /**
   * Steps the schedulers inside.
   *
   * @param metrics For a `ReduceLROnPlateau` among them: the metric of this epoch.
   * @throws {GradstepError} What one of them throws; nothing has changed then.
   */
  override step(metrics?: number): void {
    this.attempt(() => this.move(undefined, metrics));
    warnOfOrder(this.optimizer, this.progress.stepCount);
  }

  /** Moves the schedulers whose turn it is at `lastEpoch`. */
  protected abstract moveParts(jumped: boolean, metrics: number | undefined): void;

  protected override update(jumped: boolean, metrics: number | undefined): void {
    this.moveParts(jumped, metrics);
    this.write(this.getLr());
  }

  override snapshot(): () => void {
    const undo = [super.snapshot(), ...this.schedulers.map((scheduler) => scheduler.snapshot())];
    return () => {
      for (const undoOne of undo) undoOne();
    };
  }

  override reset(): void {
    super.reset();
    for (const scheduler of this.schedulers) scheduler.reset();
  }

  override stateDict(): SchedulerState {
    this.#refuseOwnMethods();
    const schedulers = this.schedulers.map((scheduler) => scheduler.stateDict());
    return { ...super.stateDict(), schedulers };
  }

  override take(state: unknown): void {
    const { type, schedulers: states } = Object(state) as SchedulerState;
    const count = this.schedulers.length;
    if (type !== this.spec.name) super.take(state); // throws
    this.#refuseOwnMethods();
    if (!Array.isArray(states) || states.length !== count) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected the states of ${count} schedulers in the state of a ${this.spec.name} ` +
          `but received ${describe(Array.isArray(states) ? states.length : states)}`,
      );
    }
    for (const [i, scheduler] of this.schedulers.entries()) scheduler.take(states[i]);
    super.take(state);
  }

  /** What such a method adds would be lost in silence: states are loaded all or nothing. */
  #refuseOwnMethods(): void {
    const { loadStateDict } = LRScheduler.prototype;
    if (this.schedulers.every((scheduler) => scheduler.loadStateDict === loadStateDict)) return;
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected the schedulers of a ${this.spec.name} without a loadStateDict of their own: save ` +
        'and load what it adds by itself',
    );
  }
}
