/** Gives one parameter options of its own, over those of its group. */

import type { Schema } from '../options/schema.ts';
import { isIterable, isObject } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ownProperties } from '../support/own-properties.ts';
import type { Doubles } from '../support/typed-arrays.ts';
import type { GroupTable } from './group-table.ts';
import { type Override, whereOverridden } from './overrides.ts';
import { MEMBERS } from './param-group.ts';

/** Overrides these options of a parameter, and no others; null: none. */
export function override<O extends object>(
  table: GroupTable<O>,
  parameter: ParameterLike,
  options: Partial<O> | null,
): void {
  const { schema, slots, status } = table;
  status.require('override', 'idle', 'caller');
  const phase = status.enter('changing'); // getters of users run now
  try {
    const slot = table.slotOf(parameter);
    const { group, label } = slots.rows[slot]!;
    const { struct: base } = table.rows[group]!;
    const given = ownProperties({ ...checkOverride(options, label) }) as Record<string, unknown>;
    const inForce = schema.parse(given, schema.read(base), whereOverridden(label), []);
    const values = ownOptions(schema, given, inForce);
    const doubles = schema.encode(inForce);
    // From here on no code of a user.
    const mark = table.memory.mark();
    const attachState = table.allocateState([slot], () => inForce);
    let struct: Doubles | null;
    try {
      struct = values && structFor(table, slot);
    } catch (error) {
      table.memory.takeBack(mark); // the state's memory
      throw error;
    }
    attachState();
    settleOverride(table, slot, values && { values, struct: struct!, doubles });
  } finally {
    status.enter(phase);
  }
}

/** What a parameter overrides, of these options in force for it; null for nothing. */
export function ownOptions<O extends object>(
  schema: Schema<O>,
  given: object,
  inForce: Required<O>,
): Partial<O> | null {
  const own = schema.keys.filter((key) => Reflect.get(given, key) !== undefined);
  if (own.length === 0) return null;
  const values = Object.fromEntries(own.map((key) => [key, inForce[key as keyof O]]));
  return Object.freeze(values) as Partial<O>;
}

/** Memory for the options of one parameter. */
export function structFor<O extends object>(table: GroupTable<O>, slot: number): Doubles {
  const { group, parameter } = table.slots.rows[slot]!;
  const { struct, overrides } = table.rows[group]!;
  const mine = overrides.get(parameter)?.struct ?? overrides.takeSpare();
  return mine ?? table.memory.doubles(struct.length);
}

/**
 * Gives a parameter the options that it overrides, or none. Cannot fail.
 * @param override With what its struct will hold: all options in force for it.
 */
export function settleOverride<O extends object>(
  table: GroupTable<O>,
  slot: number,
  override: (Override<O> & { readonly doubles: Doubles }) | null,
): void {
  const { schema, slots, rows } = table;
  const { group, parameter, record } = slots.rows[slot]!;
  const { struct: base, overrides, view } = rows[group]!;
  slots.setSlot(slot, override?.struct ?? base, record);
  if (override === null) {
    overrides.delete(parameter);
    return;
  }
  const { values, struct, doubles } = override;
  struct.set(doubles);
  overrides.set(parameter, { values, struct });
  table.show(struct, overriddenView(view, schema, struct));
}

function checkOverride(options: unknown, label: string): object | null {
  if (options === null || (isObject(options) && !isIterable(options))) return options;
  throw new GradstepError(
    'ERR_INVALID_OPTION',
    `Expected the options that parameter ${label} overrides to be an object, or null for none, ` +
      `but received ${describe(options)}`,
  );
}

/** A group as one of its parameters has it: what the `update` of a user's optimizer is given. */
function overriddenView<O extends object>(
  group: object,
  schema: Schema<O>,
  struct: Doubles,
): object {
  const members = MEMBERS.map((key) => [
    key,
    {
      enumerable: Object.hasOwn(group, key),
      get: () => Reflect.get(group, key),
      set: (value: unknown) => void Object.assign(group, { [key]: value }),
    },
  ]);
  const options = schema.placed.map(({ key, option, at }) => [
    key,
    {
      enumerable: true,
      get: () => option.read(struct, at),
      set() {
        throw new GradstepError(
          'ERR_READ_ONLY',
          `${key} is that of one parameter here: set it with override() or on the group`,
        );
      },
    },
  ]);
  const [params, ...others] = members;
  return Object.create(group, Object.fromEntries([params!, ...options, ...others]));
}
