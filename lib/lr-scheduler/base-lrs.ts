/** The lr that each group's schedule starts from. */

import { initialValue, setInitialValue } from './initial-values.ts';
import type { SchedulableGroup } from './scheduled-groups.ts';

/** The lr that a group had before any scheduler changed it, if there has been one. */
export function initialLr(group: object): number | undefined {
  return initialValue(group, 'lr');
}

/** The base lrs of one scheduler. */
export class BaseLrs {
  readonly #lrs = new Map<SchedulableGroup, number>();

  has(group: SchedulableGroup): boolean {
    return this.#lrs.has(group);
  }

  set(group: SchedulableGroup, lr: number): void {
    this.#lrs.set(group, lr);
  }

  of(groups: readonly SchedulableGroup[]): number[] {
    return groups.map((group) => this.#lrs.get(group)!);
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

  /** Calling the result forgets the groups that were met since. */
  snapshot(): () => void {
    const met = [...this.#lrs.keys()];
    return () => {
      for (const group of this.#lrs.keys()) if (!met.includes(group)) this.#lrs.delete(group);
    };
  }
}
