/** Parameters that join a group, go, come in the place of others, or begin anew. */

import { refuseBusyState } from '../backend/busy-memory.ts';
import { despiteMoves } from '../groups/despite-moves.ts';
import { groupLabel } from '../groups/group-input.ts';
import type { GroupTable } from '../groups/group-table.ts';
import { OptionView } from '../groups/param-group.ts';
import { listParams, type ParamList } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { labelOf, type Shaping, type Slot } from '../slots/slot.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isIterable, isObject, itemsOf } from '../support/iterables.ts';
import { takeOut } from '../support/lists.ts';
import { type Floats, isGone, lengthOf } from '../support/typed-arrays.ts';
import { readSource, type Source } from './replace-options.ts';

type Table = GroupTable<object>;

/** Runs a change; users' getters may run in it, but nothing that would change the table. */
function change(table: Table, call: string, run: () => void): void {
  table.status.require(call, 'idle', 'caller');
  const phase = table.status.enter('changing');
  try {
    run();
  } finally {
    table.status.enter(phase);
  }
}

/** Adds parameters to a group that stands. */
export function addParameters(table: Table, group: unknown, params: unknown): void {
  change(table, 'addParameters', () => {
    const index = table.list.indexOf(group as never);
    if (index < 0) {
      throw new GradstepError(
        'ERR_INVALID_GROUP',
        `Expected one of this optimizer's paramGroups but received ${describe(group)}`,
      );
    }
    const { members, view } = table.rows[index]!;
    const where = groupLabel(index, view.name);
    const { shaped, whole } = table.schema;
    const taken = members.paramNames;
    const list = listParams(params, undefined, where, { taken, shaped, whole });
    if (list.params.length === 0) return;
    table.checkNamed(list, where);
    const shapings = table.shapingsOf(list, index);
    table.slots.refuse(list.params);
    despiteMoves(table.slots, list, () => join(table, index, list, shapings));
    table.keepNamed(list);
    members.params = Object.freeze([...members.params, ...list.params]);
    if (list.names === undefined) return;
    members.paramNames = Object.freeze([...(members.paramNames ?? []), ...list.names]);
    OptionView.showNames(view);
  });
}

/** Runs no code of a user. */
function join(
  table: Table,
  index: number,
  list: ParamList,
  shapings: readonly Shaping[] | undefined,
): void {
  const { slots, state, memory, rows, schema } = table;
  const { struct, members, view } = rows[index]!;
  let first = 0;
  for (let i = 0; i <= index; i++) first += rows[i]!.members.params.length;
  const before = memory.mark();
  try {
    const records = memory.doubles(list.params.length * schema.record.length);
    const kinds = table.kindsOf(schema.read(struct));
    const attachState = table.allocate(first, { data: list.data, shapings }, kinds, true);
    const joined = { group: index, struct, records, frozen: view.frozen === true, shapings };
    slots.insert(first, list, joined, members.params.length);
    state.insert(first, list.params.length);
    attachState();
  } catch (error) {
    memory.takeBack(before);
    throw error;
  }
}

/** Lets parameters go, with their state and what they override. */
export function removeParameters(table: Table, given: unknown): void {
  change(table, 'removeParameters', () => {
    const { slots, state, memory, rows: groups } = table;
    const gone = listSlots(table, given, 'removeParameters()');
    if (gone.length === 0) return;
    const rows = gone.map((slot) => slots.rows[slot]!);
    const places = new Map<number, number[]>(); // in each group's list
    for (const { group, index } of rows) {
      if (!places.get(group)?.push(index)) places.set(group, [index]);
    }
    slots.remove(gone);
    state.remove(gone, rows, memory);
    for (const { group, parameter } of rows) groups[group]!.overrides.delete(parameter);
    for (const [group, mine] of places) {
      const { members } = groups[group]!;
      members.paramNames &&= without(members.paramNames, mine);
      members.params = without(members.params, mine);
    }
  });
}

/** A list without what stands at these places. */
function without<T>(list: readonly T[], places: readonly number[]): readonly T[] {
  const rest = list.slice();
  takeOut(rest, places);
  return Object.freeze(rest);
}

/** Lets state be as before the first step. */
export function resetState(table: Table, given: unknown): void {
  change(table, 'resetState', () => {
    const all = [...table.slots.rows.keys()];
    const slots = given === undefined ? all : listSlots(table, given, 'resetState()');
    refuseBusyState(() => slots.flatMap((slot) => table.state.arraysOf(slot)));
    const attachState = table.allocateState(slots, (parameter) =>
      table.optionsOf(table.slotOf(parameter)),
    );
    for (const slot of slots) {
      const { record, group, parameter } = table.slots.rows[slot]!;
      table.state.fillZero(slot);
      record.fill(0);
      const { struct, overrides } = table.rows[group]!;
      table.slots.setSlot(slot, overrides.get(parameter)?.struct ?? struct, record);
    }
    attachState();
  });
}

/** Lets `next` have the place of `old`: its group, its name, what it overrides, its state. */
export function replaceParameter(
  table: Table,
  old: ParameterLike,
  next: ParameterLike,
  options: unknown,
): void {
  change(table, 'replaceParameter', () => {
    const slot = table.slotOf(old);
    const row = table.slots.rows[slot]!;
    const { data, name: ownName, shaping } = readNext(table, row.group, next);
    const source = readSource(options, { old, next, from: row.length, to: lengthOf(data) });
    if (source.kind !== 'reset') refuseOtherState(row, shaping, source.kind);
    const { members, overrides } = table.rows[row.group]!;
    const name = members.paramNames ? row.name : ownName;
    const params = members.params.slice();
    params[row.index] = next;
    // From here on no code of a user.
    if (isGone(data) || lengthOf(data) !== source.length) throw goneMeanwhile(row.label);
    despiteMoves(table.slots, { data: [data], labels: [name] }, () => {
      const before = table.memory.mark();
      try {
        const attachState = inherit(table, slot, { data, shaping }, source); // by what `old` overrides
        table.slots.replace(slot, next, data, name, shaping);
        attachState();
      } catch (error) {
        table.memory.takeBack(before);
        throw error;
      }
    });
    overrides.move(old, next);
    members.params = Object.freeze(params);
  });
}

/**
 * Memory for what the place of `slot` remembers, for data of perhaps another length; calling the
 * result, once that data is there, puts it in its place.
 */
function inherit(table: Table, slot: number, coming: Coming, source: Source): () => void {
  const { state, memory, core } = table;
  switch (source.kind) {
    case 'keep':
      return () => state.reattach(slot, core);
    case 'gather':
      return state.renew(slot, state.kindsOf(slot), coming, memory, core, source.gather);
    case 'reset': {
      const kinds = table.kindsOf(table.optionsOf(slot));
      const attachState = state.renew(slot, kinds, coming, memory, core);
      return () => {
        table.slots.rows[slot]!.record.fill(0);
        attachState();
      };
    }
  }
}

/** The slots of these parameters, in order. */
function listSlots(table: Table, given: unknown, call: string): number[] {
  if (!isObject(given) || ArrayBuffer.isView(given)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected ${call} to get parameters but received ${describe(given)}`,
    );
  }
  const list = isIterable(given) ? itemsOf(given, `what ${call} gets`) : [given];
  const slots = new Set(list.map((parameter) => table.slotOf(parameter)));
  return [...slots].sort((a, b) => a - b);
}

/** Data that comes, with its shape where the rule sees shapes. */
interface Coming {
  readonly data: Floats;
  readonly shaping: Shaping | undefined;
}

/** State by rows and columns can only be kept for a parameter of the same shape. */
function refuseOtherState(
  { shaping: before, length, label }: Readonly<Slot>,
  shaping: Shaping | undefined,
  kind: 'keep' | 'gather',
): void {
  if (before === undefined || shaping === undefined) return;
  const isFactored = ({ stateLengths, shape }: Shaping, size: number) =>
    shape.length > 1 && stateLengths.some((own) => own >= 0 && own !== size);
  const after = shaping.shape.reduce((product, size) => product * size, 1);
  const same = kind === 'keep' && before.shape.join() === shaping.shape.join();
  if (same || !(isFactored(before, length) || isFactored(shaping, after))) return;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected state: 'reset', since what is remembered of parameter ${label} is by rows and ` +
      `columns, of shape [${before.shape.join(', ')}]; received shape [${shaping.shape.join(', ')}]`,
  );
}

/** A parameter that comes; whether it is here already is asked by `SlotTable.replace`. */
function readNext(
  table: Table,
  group: number,
  next: unknown,
): Coming & { readonly name: string | undefined } {
  const where = groupLabel(group, table.rows[group]!.view.name);
  if (isIterable(next)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected one parameter to replace another but received ${describe(next)}${where}`,
    );
  }
  const { shaped, whole } = table.schema;
  const { data, labels, shapes } = listParams([next], undefined, where, { shaped, whole });
  const shaping = shapes && table.shapingOf(shapes[0]!, labelOf(labels[0], 0, group));
  return { data: data[0]!, name: labels[0], shaping };
}

function goneMeanwhile(label: string): GradstepError {
  return new GradstepError(
    'ERR_DETACHED',
    `The buffer of data that replaces parameter ${label} was transferred away meanwhile`,
  );
}
