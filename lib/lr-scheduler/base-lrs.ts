/** The lr that each group's schedule starts from. */

import { initialValue, resetInitialValue, setInitialValue } from '../groups/initial-values.ts';
import { GradstepError } from '../support/errors.ts';
import type { SchedulableGroup } from './scheduled-groups.ts';

/** The lr that a group had before any scheduler changed it, if there has been one. */
export function initialLr(group: object): number | undefined {
  return initialValue(group, 'lr');
}

/** Refuses to resume a schedule whose beginning nobody knows. */
export function requireInitialLrs(groups: readonly object[]): void {
  const missing = groups.findIndex((group) => initialLr(group) === undefined);
  if (missing < 0) return;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `param 'initial_lr' is not specified in param_groups[${missing}] when resuming scheduler ` +
      'with last_epoch >= 0. Give initialLr, or leave out lastEpoch and call loadStateDict()',
  );
}

/** The base lrs of one scheduler. */
export class BaseLrs {
  readonly #lrs = new Map<SchedulableGroup, number>();

  get(group: SchedulableGroup): number | undefined {
    return this.#lrs.get(group);
  }

  set(group: SchedulableGroup, lr: number): void {
    this.#lrs.set(group, lr);
  }

  /**
   * Leaves them for schedulers that are made later.
   * @param anew Even where an earlier scheduler has left one.
   */
  publish(anew = false): void {
    for (const [group, lr] of this.#lrs) {
      if (anew || initialLr(group) === undefined) setInitialValue(group, 'lr', lr);
    }
  }

  /** Calling the result puts back what is known of `groups` now, for later schedulers too. */
  snapshot(groups: readonly SchedulableGroup[]): () => void {
    const known = groups.map((group) => [group, this.#lrs.get(group), initialLr(group)] as const);
    return () => {
      for (const [group, lr, initial] of known) {
        if (lr === undefined) this.#lrs.delete(group);
        else this.#lrs.set(group, lr);
        resetInitialValue(group, 'lr', initial);
      }
    };
  }
}
