/** Gives the parameters of an optimizer other places, all at once. */

import type { GroupRow } from '../groups/group-table.ts';
import type { ParamList } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import type { OptimizerMemory, StateArrays } from '../slots/optimizer-memory.ts';
import type { SlotTable } from '../slots/slot-table.ts';
import type { StateMap } from '../slots/state.ts';
import type { Doubles, Floats } from '../support/typed-arrays.ts';

/** One parameter with what belongs to it. */
export interface Seat {
  readonly parameter: ParameterLike;
  readonly data: Floats;
  /** The name that was given, or its own. */
  readonly name: string | undefined;
  readonly group: number;
  readonly record: Doubles;
  readonly state: StateArrays;
}

/** What this needs of a `GroupTable`. */
interface Table {
  readonly rows: readonly GroupRow<object>[];
  readonly slots: SlotTable;
  readonly state: StateMap<unknown>;
  readonly memory: OptimizerMemory;
}

/**
 * From now on the table has these parameters, sorted by group; or throws and has those it had. A
 * new core is opened for them, and takes over when all is well. Runs no code of a user.
 *
 * @throws {GradstepError} `ERR_DUPLICATE_PARAMETER`, `ERR_OVERLAP`, `ERR_OUT_OF_MEMORY`.
 */
export function settle({ rows, slots, state, memory }: Table, seats: readonly Seat[]): void {
  const sibling = slots.sibling();
  const lists = listByGroup(rows.length, seats);
  let forgetRest: () => void;
  try {
    const arrays = seats.map((seat) => seat.state);
    forgetRest = memory.claimIn(sibling.core, arrays);
    for (const [group, { struct, records, view }] of rows.entries()) {
      const list = lists[group]!;
      sibling.slots.refuse(list.params);
      sibling.slots.add(list, { group, struct, records, frozen: view.frozen === true });
    }
    for (const [slot, seat] of seats.entries()) {
      const { struct, overrides } = rows[seat.group]!;
      const own = overrides.get(seat.parameter)?.struct ?? struct;
      sibling.slots.setSlot(slot, own, seat.record);
      for (const [k, array] of seat.state.entries()) {
        if (array) sibling.core.setStates(k, array, Float64Array.of(slot, 0), 1);
      }
    }
  } catch (error) {
    sibling.core.dispose();
    throw error;
  }
  slots.adopt(sibling.slots);
  state.reset(seats.map((seat) => seat.state));
  forgetRest();
  for (const [group, { members }] of rows.entries()) {
    members.params = lists[group]!.params;
    if (members.paramNames) members.paramNames = lists[group]!.names;
  }
}

function listByGroup(count: number, seats: readonly Seat[]): ParamList[] {
  const groups: Seat[][] = Array.from({ length: count }, () => []);
  for (const seat of seats) groups[seat.group]!.push(seat);
  return groups.map((mine) => ({
    params: Object.freeze(mine.map(({ parameter }) => parameter)),
    data: mine.map(({ data }) => data),
    labels: mine.map(({ name }) => name),
    names: Object.freeze(mine.map(({ name }) => name!)),
  }));
}
