/** Parameters that go, come in the place of others, or begin anew. */

import { groupLabel } from '../groups/group-input.ts';
import type { GroupTable } from '../groups/group-table.ts';
import { isIterable, isObject, listParams } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import type { StateArrays } from '../slots/optimizer-memory.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { type Doubles, type Floats, isGone, lengthOf } from '../support/typed-arrays.ts';
import { readSource, type Source } from './replace-options.ts';
import { type Seat, settle } from './settle.ts';

type Table = GroupTable<object>;

/** Runs a change; users' getters may run in it, but nothing that would change the table. */
function change(table: Table, call: string, run: () => void): void {
  table.phases.require(call, 'idle', 'caller');
  const phase = table.phases.enter('changing');
  try {
    run();
  } finally {
    table.phases.enter(phase);
  }
}

/** Lets parameters go, with their state and what they override. */
export function removeParameters(table: Table, given: unknown): void {
  change(table, 'removeParameters', () => {
    const gone = listSlots(table, given, 'removeParameters()');
    if (gone.size === 0) return;
    const kept = seatsBeside(table, gone).map((seat) => seat());
    const rows = [...gone].map((slot) => table.slots.rows[slot]!);
    settle(table, kept);
    for (const { group, parameter } of rows) table.rows[group]!.overrides.delete(parameter);
  });
}

/** Lets state be as before the first step. */
export function resetState(table: Table, given: unknown): void {
  change(table, 'resetState', () => {
    const all = [...table.slots.rows.keys()];
    const slots = given === undefined ? all : [...listSlots(table, given, 'resetState()')];
    slots.sort((a, b) => a - b);
    const rows = slots.map((slot) => table.slots.rows[slot]!);
    const attachState = table.allocateState(slots, (parameter) =>
      table.optionsOf(table.slotOf(parameter)),
    );
    for (const [i, slot] of slots.entries()) {
      const { record, group, parameter } = rows[i]!;
      for (const array of table.state.arraysOf(slot)) array?.fill(0);
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
    const { data, name: ownName } = readNext(table, row.group, next);
    const source = readSource(options, { old, next, from: row.length, to: lengthOf(data) });
    const names = table.rows[row.group]!.members.paramNames;
    const name = names ? row.name : ownName;
    const seats = seatsBeside(table, new Set([slot]));
    // From here on no code of a user.
    if (isGone(data) || lengthOf(data) !== source.length) throw goneMeanwhile(row.label);
    const kept = seats.map((seat) => seat());
    const { overrides } = table.rows[row.group]!;
    const before = table.memory.mark();
    let moveBack = () => {};
    try {
      const inherited = inherit(table, slot, data, source); // by what `old` overrides
      moveBack = overrides.move(old, next);
      kept.splice(slot, 0, { parameter: next, data, name, group: row.group, ...inherited });
      settle(table, kept);
    } catch (error) {
      moveBack();
      table.memory.takeBack(before);
      throw error;
    }
  });
}

/** What the place of `slot` remembers, for data of perhaps another length. */
function inherit(
  table: Table,
  slot: number,
  data: Floats,
  source: Source,
): { record: Doubles; state: StateArrays } {
  const arrays = table.state.arraysOf(slot);
  const { record } = table.slots.rows[slot]!;
  if (source.kind === 'keep') return { record, state: arrays };
  const fresh = table.memory.doubles(record.length);
  const state: StateArrays = [];
  if (source.kind === 'reset') {
    for (const k of table.kindsOf(table.optionsOf(slot))) state[k] = table.memory.stateFor(data, k);
    return { record: fresh, state };
  }
  fresh.set(record);
  for (const [k, array] of arrays.entries()) {
    if (array === undefined) continue;
    const gathered = table.memory.stateFor(data, k);
    source.gather(array, gathered);
    state[k] = gathered;
  }
  return { record: fresh, state };
}

/**
 * All other parameters, whose data is read here; each result proves what was read and gives the
 * seat, when no code of a user runs any more.
 */
function seatsBeside({ slots, state }: Table, gone: ReadonlySet<number>): (() => Seat)[] {
  const stay = [...slots.rows.keys()].filter((slot) => !gone.has(slot));
  const read = stay.map((slot) => slots.rows[slot]!.parameter.data);
  return stay.map((slot, i) => () => {
    const data = read[i]!;
    slots.check(slot, 'data', data);
    const { parameter, name, group, record } = slots.rows[slot]!;
    return { parameter, data, name, group, record, state: state.arraysOf(slot) };
  });
}

function listSlots(table: Table, given: unknown, call: string): Set<number> {
  if (!isObject(given) || ArrayBuffer.isView(given)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected ${call} to get parameters but received ${describe(given)}`,
    );
  }
  const list = isIterable(given) ? [...given] : [given];
  return new Set(list.map((parameter) => table.slotOf(parameter)));
}

/** A parameter that comes; whether it is here already is asked by `settle`. */
function readNext(
  table: Table,
  group: number,
  next: unknown,
): { data: Floats; name: string | undefined } {
  const where = groupLabel(group, table.rows[group]!.view.name);
  if (isIterable(next)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected one parameter to replace another but received ${describe(next)}${where}`,
    );
  }
  const { data, labels } = listParams([next], undefined, where);
  return { data: data[0]!, name: labels[0] };
}

function goneMeanwhile(label: string): GradstepError {
  return new GradstepError(
    'ERR_DETACHED',
    `The buffer of data that replaces parameter ${label} was transferred away meanwhile`,
  );
}
