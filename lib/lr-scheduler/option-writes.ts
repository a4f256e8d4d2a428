/** Options of groups that are written together, or not at all. */

import type { GroupMembers } from '../groups/param-group.ts';
import type { OptionPath } from './option-path.ts';
import { notBelowZero } from './rounding.ts';

export type Group = GroupMembers & Record<string, unknown>;

/** One option of one group at a step. */
export interface Write {
  readonly group: Group;
  readonly path: OptionPath;
  readonly before: unknown;
  readonly base: number | undefined;
  readonly value: unknown;
}

/**
 * Writes all or none, and gives them, the last one first. What a group refuses is tried again after
 * the others: options that must go together, such as nesterov and momentum, are only accepted in one
 * order, which is not ours to know.
 */
export function writeAll(writes: readonly Write[]): readonly Write[] {
  const done: Write[] = [];
  let waiting = writes;
  while (waiting.length > 0) {
    const refused: Write[] = [];
    let reason: unknown;
    for (const write of waiting) {
      try {
        write.path.write(write.group, settled(write));
        done.push(write);
      } catch (error) {
        reason ??= error;
        refused.push(write);
      }
    }
    if (refused.length === waiting.length) {
      undoAll(done.reverse());
      throw reason;
    }
    waiting = refused;
  }
  return done.reverse();
}

/** The value without what rounding has put below 0, measured by the one before it. */
function settled({ value, before }: Write): unknown {
  if (typeof value !== 'number' || typeof before !== 'number') return value;
  return notBelowZero(value, before);
}

/** Takes back what was written. @param done The last one first. */
export function undoAll(done: readonly Write[]): void {
  for (const { group, path, before } of done) path.write(group, before);
}
