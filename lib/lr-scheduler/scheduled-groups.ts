/**
 * The groups that a scheduler writes to. `optimizer.paramGroups` is a live list, so a group that
 * is added later is met at the scheduler's next step.
 */

import type { GroupMembers } from '../groups/param-group.ts';
import { isObject } from '../parameters/list-params.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

/** What schedulers need of a group. */
export interface SchedulableGroup extends GroupMembers {
  lr: number;
}

/** What schedulers need of an optimizer; every `Optimizer` with an `lr` is one. */
export interface SchedulableOptimizer<G extends GroupMembers = SchedulableGroup> {
  readonly paramGroups: readonly G[];
  readonly defaults: object;
}

/** Which groups: names and indices, or a function that is asked once about each group. */
export type GroupFilter =
  | readonly (string | number)[]
  | ((group: GroupMembers, index: number) => boolean);

/** Refuses what is no optimizer, in torch's words. */
export function checkOptimizer<T>(optimizer: T): T {
  const { paramGroups, defaults } = Object(optimizer) as Record<string, unknown>;
  if (Array.isArray(paramGroups) && isObject(defaults)) return optimizer;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `${describe(optimizer)} is not an Optimizer. Expected optimizer to be one`,
  );
}

/** A group's name where it has one, else its index. */
export function labelOf(group: GroupMembers, index: number): string {
  return group.name === undefined ? `group ${index}` : `group '${group.name}'`;
}

/** The groups of an optimizer that pass a filter, now and later. */
export class ScheduledGroups<G extends GroupMembers = SchedulableGroup> {
  readonly #optimizer: SchedulableOptimizer<G>;
  readonly #filter: ((group: G, index: number) => boolean) | undefined;
  /** What the filter said; a group that is renamed later stays where it was. */
  readonly #chosen = new WeakMap<object, boolean>();

  /** @throws {GradstepError} `ERR_INVALID_ARGUMENT` when the filter names a group that is not. */
  constructor(optimizer: SchedulableOptimizer<G>, filter: GroupFilter | undefined) {
    this.#optimizer = optimizer;
    if (filter === undefined || typeof filter === 'function') {
      this.#filter = filter;
      return;
    }
    if (!Array.isArray(filter)) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        'Expected groups to be a list of names and indices, or a function, ' +
          `but received ${describe(filter)}`,
      );
    }
    const wanted = new Set(filter);
    this.#filter = (group, i) => keysOf(group, i).some((key) => wanted.has(key));
    const { paramGroups } = optimizer;
    const known = new Set(paramGroups.flatMap(keysOf));
    const missing = filter.find((key) => !known.has(key));
    if (missing === undefined) return;
    const names = paramGroups.map((group, i) => describe(group.name ?? i)).join(', ');
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected groups to be among ${names || 'no groups'} but received ${describe(missing)}`,
    );
  }

  /** The groups now, in the optimizer's order. */
  list(): G[] {
    return this.#optimizer.paramGroups.filter((group, i) => this.includes(group, i));
  }

  includes(group: G, index: number): boolean {
    const filter = this.#filter;
    if (filter === undefined) return true;
    let chosen = this.#chosen.get(group);
    if (chosen === undefined) {
      chosen = Boolean(filter(group, index));
      this.#chosen.set(group, chosen);
    }
    return chosen;
  }
}

/** What a filter may call a group. */
function keysOf({ name }: GroupMembers, index: number): (string | number)[] {
  return name === undefined ? [index] : [index, name];
}
