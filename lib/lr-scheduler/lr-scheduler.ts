/** The base class of all schedulers: groups, base lrs, `step()`, and all-or-nothing writes. */

import type { LiveOptions } from '../groups/param-group.ts';
import { isObject } from '../parameters/list-params.ts';
import { integer, parseArguments, perGroup, real, refuse } from '../schedules/arguments.ts';
import { checkStep } from '../schedules/schedule-function.ts';
import { loadAll, type PendingLoad } from '../state-dict/stateful.ts';
import { showFields } from '../support/inspect.ts';
import { ownProperties } from '../support/own-properties.ts';
import { BaseLrs, initialLr, requireInitialLrs } from './base-lrs.ts';
import { momentumOf, setMomentum } from './momentum.ts';
import { notBelowZero } from './rounding.ts';
import {
  checkOptimizer,
  type SchedulableGroup,
  type SchedulableOptimizer,
  ScheduledGroups,
} from './scheduled-groups.ts';
import {
  type LRSchedulerOptions,
  liveOptions,
  type SchedulerSpec,
  spread,
} from './scheduler-options.ts';
import { prepareState, readState, type SchedulerState, writeState } from './scheduler-state.ts';
import { warnOfOrder } from './step-order.ts';

export type { LRSchedulerOptions } from './scheduler-options.ts';

/** What every scheduler counts. */
export interface Progress {
  /** The epoch, or step, that the lr in force belongs to. */
  lastEpoch: number;
  /** How often `step()` was called, the constructor's first step included. */
  stepCount: number;
}

/**
 * A learning-rate scheduler, as `torch.optim.lr_scheduler.LRScheduler`. To write one, extend this
 * class and give it `getLr()`.
 *
 * Making one does the first step, epoch 0. After that, call `step()` after `optimizer.step()`.
 * A step changes all its groups or, when it throws, nothing. The first one comes before a subclass
 * has fields and #private methods of its own: keep hyperparameters in `options`.
 *
 * @typeParam O Its hyperparameters.
 * @typeParam P What it counts beside `lastEpoch`.
 */
export abstract class LRScheduler<O extends object = object, P extends object = object> {
  readonly optimizer: SchedulableOptimizer;
  /** The hyperparameters: assigning to one is checked and counts from the next step. */
  readonly options: LiveOptions<O>;
  /** What changes from step to step; saved in the state dict. */
  protected progress: Progress & P;
  protected readonly spec: SchedulerSpec<O, P>;

  readonly #values: Required<O>;
  readonly #groups: ScheduledGroups;
  readonly #baseLrs = new BaseLrs();
  #lastLr: readonly number[] = [];

  /**
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT`, `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`;
   * nothing has changed then.
   */
  protected constructor(
    spec: SchedulerSpec<O, P>,
    optimizer: SchedulableOptimizer,
    options: O & LRSchedulerOptions,
  ) {
    this.optimizer = checkOptimizer(optimizer);
    const { groups, lastEpoch = -1, initialLr: initial, ...own } = ownProperties(options);
    const values = parseArguments<O>(spec.arguments, isObject(options) ? own : options, spec.name);
    spec.together?.(values);
    this.spec = spec;
    this.#values = values;
    this.options = liveOptions(spec, values);
    this.progress = { lastEpoch: -1, stepCount: 0, ...spec.progress } as Progress & P;
    this.#groups = new ScheduledGroups(optimizer, groups);
    const epoch = integer(-1)(lastEpoch, `lastEpoch of ${spec.name}`);
    this.check();
    this.#readInitialLrs(initial, epoch);
    this.progress.lastEpoch = epoch;
    this.attempt(() => this.begin());
    this.#baseLrs.publish(initial !== undefined || spec.setsInitialLr);
    showFields(this, spec.name, () => this.#shown());
  }

  #readInitialLrs(given: unknown, epoch: number): void {
    const groups = this.groups();
    if (given !== undefined) {
      const checked = perGroup(real({ min: 0 }))(given, `initialLr of ${this.spec.name}`);
      const lrs = spread(checked, groups.length, 'initialLr', 'initial_lr');
      for (const [i, group] of groups.entries()) this.#baseLrs.set(group, lrs[i]!);
      return;
    }
    if (epoch >= 0) requireInitialLrs(groups);
  }

  /** More checks, of a new scheduler and of a loaded one, before anything has changed. */
  protected check(): void {}

  /** The groups that it schedules now. */
  protected groups(): SchedulableGroup[] {
    return this.#groups.list();
  }

  /** Whether this group is one of them. @internal */
  schedules(group: SchedulableGroup, index: number): boolean {
    return this.#groups.includes(group, index);
  }

  /** The base lr of a group that it meets for the first time. */
  protected firstLr(group: SchedulableGroup, _index: number, _count: number): number {
    return initialLr(group) ?? group.lr;
  }

  /** The epoch, or step, that the lr in force belongs to: 0 for a new scheduler. */
  get lastEpoch(): number {
    return this.progress.lastEpoch;
  }

  /** The lr of each group that the schedule starts from. */
  get baseLrs(): number[] {
    const groups = this.groups();
    return groups.map((g, i) => this.#baseLrs.get(g) ?? this.firstLr(g, i, groups.length));
  }

  /** The lr of each group as the last step left it. */
  getLastLr(): number[] {
    return [...this.#lastLr];
  }

  /** The lr of each group at `lastEpoch`, from the lr in force: the chainable form. */
  protected abstract getLr(): readonly number[];

  /** The same from the base lr alone, where there is such a form; used by `step(epoch)`. */
  protected getClosedFormLr?(): readonly number[];

  /** The momentum of each group at `lastEpoch`, if this scheduler moves it. */
  protected getMomentum?(): readonly number[] | undefined;

  /**
   * Moves on to the next epoch and sets the lr of each group.
   *
   * @param epoch Jump to this epoch instead, by the closed form where there is one.
   * @throws {GradstepError} What the scheduler or a group refuses; nothing has changed then.
   */
  step(epoch?: number): void {
    if (epoch !== undefined) checkStep(epoch);
    this.attempt(() => this.move(epoch));
    warnOfOrder(this.optimizer, this.progress.stepCount);
  }

  /** Runs `change`; if it throws, the scheduler and its groups are as before. */
  protected attempt(change: () => void): void {
    const undo = this.snapshot();
    try {
      change();
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** The constructor's first step, from `lastEpoch` as it was given. */
  protected begin(): void {
    this.move();
  }

  /**
   * What a step does, for whoever can take it back: one epoch on, or a jump to `epoch`. From
   * before epoch 0 it begins, and counts its steps from there.
   *
   * @param metrics The metric of this epoch, for a `ReduceLROnPlateau`. @internal
   */
  move(epoch?: number, metrics?: number): void {
    this.meetGroups();
    const { progress } = this;
    const jumps = epoch !== undefined;
    progress.stepCount = jumps || progress.lastEpoch >= 0 ? progress.stepCount + 1 : 1;
    progress.lastEpoch = epoch ?? progress.lastEpoch + 1;
    this.update(jumps, metrics);
  }

  /** Sets what groups have at `lastEpoch`, to which this step has come or jumped. */
  protected update(jumped: boolean, _metrics: number | undefined): void {
    const closed = jumped ? this.getClosedFormLr?.() : undefined;
    this.write(closed ?? this.getLr(), this.getMomentum?.());
  }

  /** Its epoch 0 is still to come: for a scheduler inside of another. @internal */
  reset(): void {
    this.progress.lastEpoch = -1;
  }

  /** Takes the base lrs of groups that were added since the last step. */
  protected meetGroups(): void {
    const lrs = this.baseLrs;
    for (const [i, group] of this.groups().entries()) this.#baseLrs.set(group, lrs[i]!);
    this.#baseLrs.publish();
  }

  /** Sets lr, and momentum if there is one, of each group. */
  protected write(lrs: readonly number[], momenta?: readonly number[]): void {
    const groups = this.groups();
    if (lrs.length !== groups.length) {
      refuse(lrs.length, `${this.spec.name} to give ${groups.length} lrs, one for each group,`);
    }
    groups.forEach((group, i) => {
      const size = Math.max(group.lr, this.#baseLrs.get(group) ?? 0);
      group.lr = notBelowZero(lrs[i]!, size);
      if (momenta) setMomentum(group, momenta[i]!);
    });
    this.#lastLr = groups.map(({ lr }) => lr);
  }

  /** Remembers everything that a step changes; calling the result puts it back. @internal */
  snapshot(): () => void {
    const { progress } = this;
    const lastLr = this.#lastLr;
    const groups = this.groups();
    const saved = groups.map((group) => [group, group.lr, momentumOf(group)] as const);
    const forget = this.#baseLrs.snapshot(groups);
    const options = { ...this.#values };
    this.progress = { ...progress };
    return () => {
      this.progress = progress;
      this.#lastLr = lastLr;
      Object.assign(this.#values, options);
      forget();
      for (const [group, lr, momentum] of saved) {
        group.lr = lr;
        if (momentum !== undefined && momentum !== momentumOf(group)) setMomentum(group, momentum);
      }
    };
  }

  /** What `console.log` shows: where it is, its options, and what else it counts. */
  #shown(): object {
    const { stepCount: _, lastEpoch, ...counts } = this.progress;
    const lr = this.groups().map((group) => group.lr);
    return { lastEpoch, lr, ...this.options, ...counts };
  }

  /**
   * By how much it has reduced the lr of groups beside the schedule; only
   * `ReduceLROnPlateau` does. @internal
   */
  scales(): ReadonlyMap<SchedulableGroup, number> {
    return new Map();
  }

  /**
   * Everything that a resumed run needs, as JSON: epoch, base lrs, the lr (and momentum) in force,
   * hyperparameters. Functions are not saved: null stands for them, and `notSaved` lists them.
   */
  stateDict(): SchedulerState {
    return writeState(this.spec, this.options, this.progress, {
      baseLrs: this.baseLrs,
      lr: this.groups().map(({ lr }) => lr),
      lastLr: this.#lastLr,
      ...(this.getMomentum?.() && { momentum: this.groups().map((g) => momentumOf(g) ?? 0) }),
    });
  }

  /**
   * Takes over a state dict, and with it the lr (and momentum) that was in force, so that it does
   * not matter whether the optimizer was loaded before this scheduler was made or after.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` when it is another scheduler's, or for another
   * number of groups; nothing has changed then.
   */
  loadStateDict(state: SchedulerState): void {
    loadAll([this.prepareLoad(state)]);
  }

  /** The first half of `loadStateDict`. @internal */
  prepareLoad(state: unknown): PendingLoad {
    return prepareState(this, state);
  }

  /** Becomes what a state says; `snapshot` can take it back. @internal */
  take(state: unknown): void {
    const groups = this.groups();
    const read = readState(this.spec, this.#values, this.progress, state, groups.length);
    Object.assign(this.#values, read.options);
    this.check();
    this.progress = read.progress as Progress & P;
    this.getMomentum?.(); // throws where there is no such epoch
    this.write(read.lr, read.momentum);
    this.#lastLr = read.lastLr;
    for (const [i, group] of groups.entries()) this.#baseLrs.set(group, read.baseLrs[i]!);
    this.#baseLrs.publish(true);
  }
}
