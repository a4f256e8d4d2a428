/** Plain schedules bound to any option of any groups. */

import { initialValue, setInitialValue } from '../groups/initial-values.ts';
import type { GroupMembers } from '../groups/param-group.ts';
import { isObject } from '../parameters/list-params.ts';
import { callable, oneOf, optional, parseArguments, real } from '../schedules/arguments.ts';
import { checkStep, type ScheduleFunction } from '../schedules/schedule-function.ts';
import { checkedLoad, loadAll, type PendingLoad } from '../state-dict/stateful.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { showFields } from '../support/inspect.ts';
import { ownProperties } from '../support/own-properties.ts';
import { OptionPath } from './option-path.ts';
import { type Group, undoAll, type Write, writeAll } from './option-writes.ts';
import {
  checkOptimizer,
  type GroupFilter,
  labelOf,
  type SchedulableOptimizer,
  ScheduledGroups,
} from './scheduled-groups.ts';

/** Schedules by option: `lr`, `weightDecay`, `betas[0]`, … */
export type OptionSchedules<G> = {
  readonly [K in Exclude<keyof G, keyof GroupMembers>]?: ScheduleFunction<G[K]>;
} & {
  readonly [K in PairKey<G> as `${K}[0]` | `${K}[1]`]?: ScheduleFunction;
};

type PairKey<G> = {
  [K in keyof G]: G[K] extends readonly [number, number] ? K : never;
}[keyof G] &
  string;

/** Options of `schedule`. */
export interface ScheduleOptions {
  /** Which groups: names, indices, or a function. Default: all, now and later. */
  readonly groups?: GroupFilter;
  /**
   * Whether the schedule gives the option's value, or a factor on the value that the group had
   * before any schedule. Default: 'absolute'.
   */
  readonly mode?: 'absolute' | 'multiplicative';
  /** The step to begin at, when a run is resumed. Default: 0. */
  readonly step?: number;
}

/** What `OptionScheduler.stateDict()` gives: JSON. */
export interface OptionSchedulerState {
  readonly type: 'schedule';
  readonly lastStep: number;
  /** The values that factors apply to, by option, one for each group. */
  readonly base?: { readonly [option: string]: readonly number[] };
}

interface Binding {
  readonly path: OptionPath;
  readonly at: ScheduleFunction<unknown>;
}

/** By group and option. */
type Bases = Map<object, Map<string, number>>;

/** Options of groups that follow schedules; made by `schedule`. */
export class OptionScheduler {
  readonly #optimizer: SchedulableOptimizer<Group>;
  readonly #groups: ScheduledGroups<Group>;
  readonly #bindings: readonly Binding[];
  readonly #multiplies: boolean;
  /** The values that factors apply to. */
  readonly #base: Bases = new Map();
  #lastStep: number;

  /** @internal */
  constructor(
    optimizer: SchedulableOptimizer<Group>,
    schedules: object,
    options: Required<Omit<ScheduleOptions, 'groups'>>,
    groups: GroupFilter | undefined,
  ) {
    this.#optimizer = checkOptimizer(optimizer);
    this.#groups = new ScheduledGroups(optimizer, groups);
    this.#bindings = readBindings(schedules);
    this.#multiplies = options.mode === 'multiplicative';
    this.#lastStep = options.step;
    this.#apply(options.step);
    showFields(this, 'OptionScheduler', () => this.#shown());
  }

  /** The step that the values in force belong to. */
  get lastStep(): number {
    return this.#lastStep;
  }

  /**
   * Moves on to the next step and sets the options.
   *
   * @param step Jump to this step instead; fractions are allowed.
   * @throws {GradstepError} What a schedule or a group refuses; nothing has changed then.
   */
  step(step: number = this.#lastStep + 1): void {
    this.#apply(checkStep(step));
  }

  /** What `console.log` shows: the step, and the schedule of each option. */
  #shown(): object {
    const schedules = this.#bindings.map(({ path, at }) => [path.text, at]);
    return { lastStep: this.#lastStep, ...Object.fromEntries(schedules) };
  }

  #apply(step: number): void {
    const writes = this.#writesAt(step, this.#base);
    writeAll(writes);
    this.#settle(step, writes);
  }

  /** @param bases What factors apply to. */
  #writesAt(step: number, bases: Bases): readonly Write[] {
    return this.#groups.list().flatMap((group) => {
      return this.#bindings.map(({ path, at }): Write => {
        const before = path.read(group, () => this.#label(group));
        const base = this.#multiplies ? this.#baseOf(group, path, before, bases) : undefined;
        const value = at(step);
        const next = base === undefined ? value : base * Number(value);
        return { group, path, before, base, value: next };
      });
    });
  }

  #settle(step: number, writes: readonly Write[]): void {
    for (const { group, path, base } of writes) this.#remember(group, path.text, base);
    this.#lastStep = step;
  }

  #label(group: Group): string {
    return ` (${labelOf(group, this.#optimizer.paramGroups.indexOf(group))})`;
  }

  #baseOf(group: Group, path: OptionPath, now: unknown, bases: Bases): number {
    const known = bases.get(group)?.get(path.text) ?? initialValue(group, path.text);
    const base = known ?? now;
    if (typeof base === 'number') return base;
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected ${path.text} to be a number, for a factor on it, ` +
        `but received ${describe(base)}${this.#label(group)}`,
    );
  }

  #remember(group: object, option: string, base: number | undefined): void {
    if (base === undefined) return;
    const values = this.#base.get(group) ?? new Map<string, number>();
    this.#base.set(group, values.set(option, base));
    setInitialValue(group, option, base);
  }

  /** The step number, and what factors apply to: all that a resumed run needs, as JSON. */
  stateDict(): OptionSchedulerState {
    const state = { type: 'schedule', lastStep: this.#lastStep } as const;
    if (!this.#multiplies) return state;
    const groups = this.#groups.list();
    const base = this.#bindings.map(({ path }) => [
      path.text,
      groups.map((group) => this.#baseOf(group, path, path.read(group), this.#base)),
    ]);
    return { ...state, base: Object.fromEntries(base) };
  }

  /**
   * Takes over a state and sets the options as they are at its step. The schedules themselves are
   * functions and not saved: give the same ones again.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT`; nothing has changed then.
   */
  loadStateDict(state: OptionSchedulerState): void {
    loadAll([this.prepareLoad(state)]);
  }

  /** The first half of `loadStateDict`. @internal */
  prepareLoad(given: unknown): PendingLoad {
    const state = { ...(given as OptionSchedulerState) };
    if (state.type !== 'schedule') {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected the state of a schedule() but received ${describe(given)}`,
      );
    }
    const step = checkStep(state.lastStep);
    const bases = this.#multiplies ? this.#readBases(state.base) : this.#base;
    const writes = this.#writesAt(step, bases);
    undoAll(writeAll(writes)); // they can be made
    return checkedLoad(() => {
      writeAll(writes);
      this.#settle(step, writes);
    });
  }

  #readBases(base: unknown): Bases {
    const groups = this.#groups.list();
    const bases = new Map(groups.map((group) => [group, new Map<string, number>()]));
    for (const { path } of this.#bindings) {
      const values: unknown = isObject(base) ? Reflect.get(base, path.text) : undefined;
      if (!Array.isArray(values) || values.length !== groups.length) {
        throw new GradstepError(
          'ERR_INVALID_ARGUMENT',
          'loaded state dict has a different number of parameter groups. Expected the base of ' +
            `${path.text} for ${groups.length} groups but received ${describe(values)}`,
        );
      }
      groups.forEach((group, i) => {
        const value = real()(values[i], `base of ${path.text} in the state`);
        bases.get(group)!.set(path.text, value);
      });
    }
    return bases;
  }
}

function readBindings(schedules: unknown): Binding[] {
  if (!isObject(schedules) || Array.isArray(schedules) || Object.keys(schedules).length === 0) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      'Expected schedules to be an object such as { lr: cosine({ steps: 100 }) } ' +
        `but received ${describe(schedules)}`,
    );
  }
  const bindings = Object.entries(schedules)
    .filter(([, at]) => at !== undefined)
    .map(([text, at]) => ({
      path: new OptionPath(text),
      at: callable<ScheduleFunction<unknown>>()(at, `the schedule of ${text}`),
    }));
  for (const { path } of bindings) {
    const other = bindings.find((binding) => path.overlaps(binding.path));
    if (other === undefined) continue;
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected one schedule for ${path.text} but received a second one for ${other.path.text}`,
    );
  }
  return bindings;
}

const table = {
  mode: optional(oneOf(['absolute', 'multiplicative']), 'absolute' as const),
  step: optional(real({ min: 0 }), 0),
};

/**
 * Lets options of an optimizer's groups follow plain schedules, from step 0 on, or from
 * `options.step`. Call `step()` after every `optimizer.step()`.
 *
 * ```ts
 * const scheduler = schedule(
 *   optimizer,
 *   { weightDecay: cosine({ from: 0.04, to: 0.4, steps: 1000 }), 'betas[0]': linear({ … }) },
 *   { groups: ['head'] },
 * );
 * ```
 *
 * @throws {GradstepError} `ERR_UNKNOWN_OPTION`, `ERR_INVALID_OPTION`, `ERR_INVALID_ARGUMENT`;
 * nothing has changed then.
 */
export function schedule<G extends GroupMembers>(
  optimizer: SchedulableOptimizer<G>,
  schedules: OptionSchedules<G>,
  options: ScheduleOptions = {},
): OptionScheduler {
  const { groups, ...own } = ownProperties(options);
  const given = isObject(options) ? own : options;
  const parsed = parseArguments<Omit<ScheduleOptions, 'groups'>>(table, given, 'schedule()');
  return new OptionScheduler(
    optimizer as unknown as SchedulableOptimizer<Group>,
    schedules,
    parsed,
    groups,
  );
}
