/** Plain schedules bound to any option of any groups. */

import { describe } from '../describe.ts';
import { GradstepError } from '../errors.ts';
import type { GroupMembers } from '../param-group.ts';
import { isObject } from '../params.ts';
import { callable, oneOf, optional, parseArguments, real } from '../schedules/arguments.ts';
import { checkStep, type ScheduleFunction } from '../schedules/schedule-function.ts';
import { initialValue, setInitialValue } from './initial-values.ts';
import { OptionPath } from './option-path.ts';
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

type Group = GroupMembers & Record<string, unknown>;

interface Binding {
  readonly path: OptionPath;
  readonly at: ScheduleFunction<unknown>;
}

/** Options of groups that follow schedules; made by `schedule`. */
export class OptionScheduler {
  readonly #optimizer: SchedulableOptimizer<Group>;
  readonly #groups: ScheduledGroups<Group>;
  readonly #bindings: readonly Binding[];
  readonly #multiplies: boolean;
  /** By group and option, the value that factors apply to. */
  readonly #base = new Map<object, Map<string, number>>();
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

  #apply(step: number): void {
    const writes = this.#groups.list().flatMap((group) => {
      const label = ` (${this.#label(group)})`;
      return this.#bindings.map(({ path, at }) => {
        const before = path.read(group, label);
        const base = this.#multiplies ? this.#baseOf(group, path, before, label) : undefined;
        const value = at(step);
        return {
          group,
          path,
          before,
          base,
          value: base === undefined ? value : base * Number(value),
        };
      });
    });
    const done: typeof writes = [];
    try {
      for (const write of writes) {
        done.unshift(write);
        write.path.write(write.group, write.value);
      }
    } catch (error) {
      for (const { group, path, before } of done.slice(1)) path.write(group, before);
      throw error;
    }
    for (const { group, path, base } of writes) this.#remember(group, path.text, base);
    this.#lastStep = step;
  }

  #label(group: Group): string {
    return labelOf(group, this.#optimizer.paramGroups.indexOf(group));
  }

  #baseOf(group: Group, path: OptionPath, now: unknown, label: string): number {
    const known = this.#base.get(group)?.get(path.text) ?? initialValue(group, path.text);
    const base = known ?? now;
    if (typeof base === 'number') return base;
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected ${path.text} to be a number, for a factor on it, ` +
        `but received ${describe(base)}${label}`,
    );
  }

  #remember(group: Group, option: string, base: number | undefined): void {
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
      groups.map((group) => this.#baseOf(group, path, path.read(group, ''), '')),
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
    if (!isObject(state) || state.type !== 'schedule') {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected the state of a schedule() but received ${describe(state)}`,
      );
    }
    const step = checkStep(state.lastStep);
    const bases = this.#multiplies ? this.#readBases(state.base) : [];
    const before = new Map([...this.#base].map(([group, values]) => [group, new Map(values)]));
    try {
      for (const [group, option, value] of bases) this.#remember(group, option, value);
      this.#apply(step);
    } catch (error) {
      this.#base.clear();
      for (const [group, values] of before) this.#base.set(group, values);
      throw error;
    }
  }

  #readBases(base: unknown): (readonly [Group, string, number])[] {
    const groups = this.#groups.list();
    return this.#bindings.flatMap(({ path }) => {
      const values: unknown = isObject(base) ? Reflect.get(base, path.text) : undefined;
      if (Array.isArray(values) && values.length === groups.length) {
        const check = real();
        return groups.map((group, i) => {
          return [group, path.text, check(values[i], `base of ${path.text} in the state`)] as const;
        });
      }
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        'loaded state dict has a different number of parameter groups. Expected the base of ' +
          `${path.text} for ${groups.length} groups but received ${describe(values)}`,
      );
    });
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
  const { groups, ...own } = { ...options };
  const parsed = parseArguments<Omit<ScheduleOptions, 'groups'>>(table, own, 'schedule()');
  return new OptionScheduler(
    optimizer as unknown as SchedulableOptimizer<Group>,
    schedules,
    parsed,
    groups,
  );
}
