/** Options of single parameters, over those of their group. */

import type { Where } from '../options/option.ts';
import type { Placed, Schema } from '../options/schema.ts';
import { isIterable, isObject } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import type { Doubles } from '../support/typed-arrays.ts';
import type { GroupTable } from './group-table.ts';
import { type Followers, MEMBERS } from './param-group.ts';

/** What one parameter overrides. */
interface Override<O extends object> {
  /** The overridden options alone; frozen. */
  readonly values: Partial<O>;
  /** All options in force for it. */
  readonly struct: Doubles;
}

/** The overrides inside one group; where they override nothing, they follow its options. */
export class Overrides<O extends object> implements Followers<O> {
  readonly #schema: Schema<O>;
  readonly #whereOf: (parameter: ParameterLike) => Where;
  /** Made for the first one: most groups never have any. */
  #of: Map<ParameterLike, Override<O>> | undefined;
  /** Structs that are not in use any more. */
  #spare: Doubles[] | undefined;

  constructor(schema: Schema<O>, whereOf: (parameter: ParameterLike) => Where) {
    this.#schema = schema;
    this.#whereOf = whereOf;
  }

  get size(): number {
    return this.#of?.size ?? 0;
  }

  get(parameter: ParameterLike): Override<O> | undefined {
    return this.#of?.get(parameter);
  }

  set(parameter: ParameterLike, override: Override<O>): void {
    this.#of ??= new Map();
    this.#of.set(parameter, override);
  }

  /** Only when no slot of the core has the struct any more. */
  delete(parameter: ParameterLike): void {
    const override = this.get(parameter);
    if (override === undefined) return;
    this.#spare ??= [];
    this.#spare.push(override.struct);
    this.#of!.delete(parameter);
  }

  takeSpare(): Doubles | undefined {
    return this.#spare?.pop();
  }

  /** Lets another parameter have the override of this one; calling the result takes that back. */
  move(from: ParameterLike, to: ParameterLike): () => void {
    const [moved, other] = [this.get(from), this.get(to)];
    const of = this.#of;
    if (of === undefined || moved === undefined || from === to) return () => {};
    of.delete(from);
    of.set(to, moved);
    return () => {
      of.delete(to);
      if (other !== undefined) of.set(to, other);
      of.set(from, moved);
    };
  }

  /** The options in force for a parameter when those of the group are these. */
  over(options: Required<O>, parameter: ParameterLike): Required<O> {
    return { ...options, ...this.get(parameter)?.values };
  }

  check(options: Required<O>): void {
    for (const parameter of this.#of?.keys() ?? []) {
      this.#schema.checkTogether(this.over(options, parameter), this.#whereOf(parameter));
    }
  }

  write({ key, option, at }: Placed, value: unknown): void {
    for (const { values, struct } of this.#of?.values() ?? []) {
      if (!Object.hasOwn(values, key)) option.write(struct, at, value);
    }
  }
}

/** What errors call a parameter whose options are set. */
export function whereOverridden(label: string): string {
  return ` (override of parameter ${label})`;
}

/** Overrides these options of a parameter, and no others; null: none. */
export function override<O extends object>(
  table: GroupTable<O>,
  parameter: ParameterLike,
  options: Partial<O> | null,
): void {
  const { schema, slots, phases } = table;
  phases.require('override', 'idle', 'caller');
  const phase = phases.enter('changing'); // getters of users run now
  try {
    const slot = table.slotOf(parameter);
    const { group, label, record } = slots.rows[slot]!;
    const { struct: base, overrides, view } = table.rows[group]!;
    const given = { ...checkOverride(options, label) } as Record<string, unknown>;
    const inForce = schema.parse(given, schema.read(base), whereOverridden(label), []);
    const own = schema.keys.filter((key) => given[key] !== undefined);
    const values = Object.fromEntries(own.map((key) => [key, inForce[key as keyof O]]));
    // From here on no code of a user.
    const before = overrides.get(parameter);
    const attachState = table.allocateState([slot], () => inForce);
    const struct =
      own.length > 0
        ? (before?.struct ?? overrides.takeSpare() ?? table.memory.doubles(base.length))
        : base;
    attachState();
    slots.setSlot(slot, struct, record);
    if (own.length === 0) {
      overrides.delete(parameter);
      return;
    }
    schema.write(struct, inForce);
    overrides.set(parameter, { values: Object.freeze(values) as Partial<O>, struct });
    table.show(struct, overriddenView(view, schema, struct));
  } finally {
    phases.enter(phase);
  }
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
