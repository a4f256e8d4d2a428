/** Parameters that come where another one lay when it was last looked at. */

import type { ParamList } from '../parameters/list-params.ts';
import { goneSentence } from '../parameters/sentences.ts';
import type { SlotTable } from '../slots/slot-table.ts';
import { GradstepError } from '../support/errors.ts';
import { isGone } from '../support/typed-arrays.ts';

/**
 * Adds parameters, which runs no code of a user. What is in their way may have been elsewhere for
 * long: then all arrays are read again, which may run getters, and it is tried once more.
 */
export function despiteMoves(
  slots: SlotTable,
  list: Pick<ParamList, 'data' | 'labels'>,
  add: () => void,
): void {
  try {
    add();
  } catch (error) {
    if (!(error instanceof GradstepError) || error.code !== 'ERR_OVERLAP') throw error;
    slots.refresh();
    for (const [i, array] of list.data.entries()) {
      if (!isGone(array)) continue;
      const label = list.labels[i] ?? `at index ${i}`;
      throw new GradstepError('ERR_DETACHED', goneSentence('data', label));
    }
    add();
  }
}
