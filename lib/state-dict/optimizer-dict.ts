/** The state dict of an optimizer: what it looks like, and how it is written. */

import { checkMeta, groupLabel, type Json } from '../groups/group-input.ts';
import type { GroupTable } from '../groups/group-table.ts';
import { initialValuesOf } from '../groups/initial-values.ts';
import type { StepSettings } from '../stepping/step-options.ts';
import type { Floats } from '../support/typed-arrays.ts';
import { shapeOf } from './parameter-shape.ts';
import { copyOf } from './plain.ts';

/** The state of one parameter: its step count, what else its rule counts, and its arrays. */
export type SavedState = { readonly [name: string]: number | Floats };

/** A group: its options, and as torch has them the ids of its parameters. */
export interface SavedGroup {
  readonly params: readonly number[];
  readonly paramNames?: readonly string[];
  readonly name?: string;
  readonly meta?: Json;
  readonly frozen?: boolean;
  /** What options were before any schedule changed them, such as `{ lr: 0.1 }`. */
  readonly initialValues?: { readonly [option: string]: number };
  readonly [option: string]: unknown;
}

/** What a parameter is known by. */
export interface SavedParameter {
  /** The name that was given with it, or its own. */
  readonly name?: string;
  /** How many values it has. */
  readonly size?: number;
  readonly shape?: readonly number[];
  /** The options that it overrides. */
  readonly overrides?: { readonly [option: string]: unknown };
}

/** What `optimizer.stateDict()` gives: JSON values and arrays, structured as torch's. */
export interface OptimizerStateDict {
  /** The class, such as 'AdamW'. */
  readonly type?: string;
  /** By id; of parameters that were never stepped there is none. */
  readonly state: { readonly [id: string]: SavedState };
  readonly paramGroups: readonly SavedGroup[];
  /** By id. */
  readonly parameters?: readonly SavedParameter[];
  /** As `optimizer.stepOptions`; an infinity is written as a word. */
  readonly stepOptions?: object;
  /** How many steps were skipped, and how many of those in a row until now. */
  readonly skips?: readonly [skipped: number, consecutive: number];
}

type Table = GroupTable<object>;

/** The parts of an optimizer that its state dict holds. */
export interface Savable<O extends object = object> {
  readonly table: GroupTable<O>;
  readonly settings: StepSettings;
}

/**
 * Ids are the numbers of slots, which count up over the groups.
 * @throws {GradstepError} `ERR_BUSY`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`.
 */
export function writeOptimizer(optimizer: Savable, copy: boolean): OptimizerStateDict {
  const { status } = optimizer.table;
  status.require('stateDict', 'idle', 'caller');
  const phase = status.enter('dict'); // getters of users run now
  try {
    return write(optimizer, copy);
  } finally {
    status.enter(phase);
  }
}

function write({ table, settings }: Savable, copy: boolean): OptimizerStateDict {
  const { schema, slots } = table;
  const all = [...slots.rows.keys()];
  let first = 0;
  const stepped = all.filter((slot) => slots.stepOf(slot) > 0);
  return {
    type: schema.name,
    state: Object.fromEntries(stepped.map((slot) => [slot, writeState(table, slot, copy)])),
    paramGroups: table.rows.map(({ members }, index) => {
      const group = writeGroup(table, index, first);
      first += members.params.length;
      return group;
    }),
    parameters: all.map((slot) => writeParameter(table, slot)),
    stepOptions: encodeInfinity({ ...settings.options }),
    skips: [...settings.skips],
  };
}

function writeState({ schema, slots, state }: Table, slot: number, copy: boolean): SavedState {
  const { record } = slots.rows[slot]!;
  const saved: Record<string, number | Floats> = {};
  for (const [at, name] of schema.record.entries()) saved[name] = record[at]!;
  for (const [k, array] of state.arraysOf(slot).entries()) {
    if (array === undefined) continue;
    saved[String(schema.state[k]!.name)] = copy ? copyOf(array) : array;
  }
  return saved;
}

/** @param first The id of its first parameter. */
function writeGroup({ schema, list, rows }: Table, index: number, first: number): SavedGroup {
  const view = list[index]!;
  const { params, paramNames } = rows[index]!.members;
  const { name, meta } = view;
  if (meta !== undefined) checkMeta(meta, groupLabel(index, name)); // it may have changed since
  return {
    params: params.map((_, i) => first + i),
    ...copyOptions(schema.read(rows[index]!.struct)),
    ...(paramNames && { paramNames: [...paramNames] }),
    ...(name !== undefined && { name }),
    ...(meta !== undefined && { meta: JSON.parse(JSON.stringify(meta)) as Json }),
    frozen: view.frozen === true,
    initialValues: initialValuesOf(view),
  };
}

function writeParameter({ slots, rows }: Table, slot: number): SavedParameter {
  const { parameter, name, length: size, group } = slots.rows[slot]!;
  const shape = shapeOf(parameter, size);
  const overrides = rows[group]!.overrides.get(parameter)?.values;
  return {
    ...(name !== undefined && { name }),
    size,
    ...(shape && { shape }),
    ...(overrides && { overrides: copyOptions(overrides) }),
  };
}

/** Options that share nothing with the live ones. */
function copyOptions(options: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, Array.isArray(value) ? [...value] : value]),
  );
}

/** JSON has no infinity. */
function encodeInfinity(options: object): object {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      key,
      Math.abs(value as number) === Number.POSITIVE_INFINITY ? String(value) : value,
    ]),
  );
}
