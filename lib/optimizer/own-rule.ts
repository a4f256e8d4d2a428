/**
 * Optimizers that users write: what their class says of options and state, and the update rule
 * that calls its `update`.
 */

import { type Arrays, countStep, type Rule } from '../backend/portable/rules/rule.ts';
import type { GroupTable } from '../groups/group-table.ts';
import { MEMBERS, type ParamGroup } from '../groups/param-group.ts';
import { flag, number, type Option, pair, type Range } from '../options/option.ts';
import { type OptionTable, Schema, type StateSpec } from '../options/schema.ts';
import { isObject } from '../parameters/list-params.ts';
import { goneSentence } from '../parameters/sentences.ts';
import type { StateMap } from '../slots/state.ts';
import { ignoreRejection, isThenable } from '../stepping/closure.ts';
import { STEP_KEYS } from '../stepping/step-options.ts';
import { describe, reasonOf } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { type Doubles, type Floats, isWhole } from '../support/typed-arrays.ts';

/** Options with checks, for the `static defaults` of an optimizer of your own. */
export const option: {
  /** A number; bounds may be given: `option.number(0.1, { min: 0, below: 1 })`. */
  number(initial: number, range?: Range): Option<number>;
  /** A boolean. */
  flag(initial: boolean): Option<boolean>;
  /** Two numbers, each within the bounds. */
  pair(initial: readonly [number, number], range?: Range): Option<readonly [number, number]>;
} = Object.freeze({
  number: (initial: number, range: Range = {}) => number(initial, checkRange(range)),
  flag,
  pair: (initial: readonly [number, number], range: Range = {}) => {
    if (!Array.isArray(initial)) {
      refuse(`Expected option.pair() to be given two numbers but received ${describe(initial)}`);
    }
    checkRange(range);
    return pair(initial, ['first', 'second'], [range, range]);
  },
});

const BOUNDS = ['label', 'min', 'below', 'max', 'above'];

function checkRange(range: Range): Range {
  const unknown = isObject(range) ? Object.keys(range).find((key) => !BOUNDS.includes(key)) : '';
  if (unknown === undefined) return range;
  return refuse(
    `Expected a range with ${BOUNDS.join(', ')} but received ${unknown || describe(range)}`,
  );
}

/** The options that a `static defaults` describes. */
export type OptionsOf<D> = {
  readonly [K in keyof D]?: D[K] extends Option<infer T>
    ? T
    : D[K] extends number
      ? number
      : D[K] extends boolean
        ? boolean
        : readonly [number, number];
};

/** The state of one parameter that a `static state` describes. */
export type StateOf<N extends readonly string[]> = { readonly step: number } & {
  readonly [K in N[number]]: Floats;
};

/** What `update` is given. */
export interface UpdateArguments<O, S> {
  /** The values, to be updated in place. */
  readonly data: Floats;
  /** The gradient, to be read only. */
  readonly grad: Floats;
  /** The arrays that `static state` names; zeros at first. */
  readonly state: { readonly [K in Exclude<keyof S, 'step'>]: S[K] };
  /** The parameter's group, with the options in force. */
  readonly group: ParamGroup<O>;
  /** The number of this step of the parameter: 1, 2, 3, … */
  readonly step: number;
}

/** What the `update` of an optimizer class is given: `update({ data, grad }: Update<MyLion>)`. */
export interface Update<
  T extends { readonly paramGroups: readonly unknown[]; readonly state: unknown },
> extends Omit<UpdateArguments<object, object>, 'state' | 'group'> {
  /** The arrays that `static state` names; zeros at first. */
  readonly state: T['state'] extends StateMap<infer S> ? Omit<S, 'step'> : never;
  /** The parameter's group, with the options in force. */
  readonly group: T['paramGroups'][number];
}

/** What groups and constructors have besides. */
const TAKEN: readonly string[] = [...MEMBERS, ...STEP_KEYS, 'initialValues'];

type OwnClass = (abstract new (
  ...args: never[]
) => unknown) & {
  readonly defaults?: unknown;
  readonly state?: unknown;
};

const schemas = new WeakMap<OwnClass, Schema<object>>();

/**
 * What a class of a user says of itself, read when its first optimizer is made.
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT`.
 */
export function schemaOf(own: OwnClass): Schema<object> {
  let schema = schemas.get(own);
  if (schema === undefined) {
    if (typeof own.prototype?.update !== 'function') {
      refuse(
        `Optimizer is made through its subclasses. Expected ${own.name} to have a method update`,
      );
    }
    schema = new Schema<object>({
      name: own.name,
      rule: own.name,
      options: readDefaults(own.defaults, own.name),
      state: readNames(own.state, own.name),
      counted: true,
    });
    schemas.set(own, schema);
  }
  return schema;
}

function refuse(sentence: string): never {
  throw new GradstepError('ERR_INVALID_ARGUMENT', sentence);
}

function readDefaults(defaults: unknown = {}, name: string): OptionTable<object> {
  if (!isObject(defaults) || Array.isArray(defaults)) {
    refuse(`Expected defaults of ${name} to be an object but received ${describe(defaults)}`);
  }
  const table = Object.entries(defaults).map(([key, value]) => {
    if (TAKEN.includes(key))
      refuse(`Expected no default for '${key}' in ${name}: every optimizer has it`);
    const read = toOption(value);
    if (read === undefined) {
      refuse(
        `Expected the default of ${key} in ${name} to be a number, a boolean, two numbers or an ` +
          `option() but received ${describe(value)}`,
      );
    }
    const where = ` (defaults of ${name})`;
    return [key, { ...read, initial: read.check(read.initial, key, where) }];
  });
  return Object.fromEntries(table) as OptionTable<object>;
}

function toOption(value: unknown): Option<unknown> | undefined {
  if (typeof value === 'number') return option.number(value) as Option<unknown>;
  if (typeof value === 'boolean') return flag(value) as Option<unknown>;
  if (Array.isArray(value)) return option.pair(value as never) as Option<unknown>;
  const methods = isObject(value) ? (['check', 'read', 'write'] as const) : [];
  const isOption =
    methods.length > 0 &&
    methods.every((m) => typeof Reflect.get(value as object, m) === 'function');
  return isOption ? (value as Option<unknown>) : undefined;
}

function readNames(names: unknown = [], name: string): StateSpec<never>[] {
  const isName = (entry: unknown, i: number, all: unknown[]) =>
    typeof entry === 'string' && entry !== '' && entry !== 'step' && all.indexOf(entry) === i;
  if (!Array.isArray(names) || ![...names].every(isName)) {
    refuse(
      `Expected state of ${name} to be an array of different names of arrays, none of them ` +
        `'step', but received ${describe(names)}`,
    );
  }
  return names.map((entry: string) => ({ name: entry }));
}

/** A step of one parameter, beside its arrays. */
interface UpdateContext<O> {
  readonly group: ParamGroup<O>;
  readonly step: number;
}

/** The update rule that calls the user's `update`, one parameter at a time. */
export class OwnRule<O extends object> implements Rule<UpdateContext<O>> {
  readonly isOwn = true;
  readonly name: string;
  readonly fields: readonly string[];
  readonly record: readonly string[];
  readonly #optimizer: { update?(parameter: UpdateArguments<O, never>): unknown };
  readonly #state: readonly PropertyKey[];
  readonly #groups: () => GroupTable<O>;

  constructor(optimizer: object, schema: Schema<O>, groups: () => GroupTable<O>) {
    this.name = schema.name;
    this.fields = schema.fields;
    this.record = schema.record;
    this.#optimizer = optimizer;
    this.#state = schema.state.map(({ name }) => name);
    this.#groups = groups;
  }

  prepare(struct: Doubles, record: Doubles): UpdateContext<O> {
    return { step: countStep(record), group: this.#groups().groupOf(struct) };
  }

  update({ group, step }: UpdateContext<O>, { data, grad, state, length }: Arrays): void {
    if (!isWhole(data, length)) throw this.#gone('data', data);
    if (!isWhole(grad, length)) throw this.#gone('grad', data);
    const named = Object.fromEntries(this.#state.map((name, i) => [name, state[i]]));
    let result: unknown;
    try {
      result = this.#optimizer.update!({ data, grad, state: named as never, group, step });
      if (isThenable(result)) {
        ignoreRejection(result);
        throw new TypeError('it returned a promise, but must end at once');
      }
    } catch (cause) {
      throw this.#failed(data, cause);
    }
    if (!isWhole(data, length)) throw this.#gone('data', data);
  }

  #failed(data: Floats, cause: unknown): GradstepError {
    const reason = reasonOf(cause);
    return new GradstepError(
      'ERR_UPDATE',
      `update of ${this.name} failed at parameter ${this.#label(data)}: ${reason}. Parameters ` +
        'before it have been stepped, those after it have not',
      { cause },
    );
  }

  #gone(field: 'data' | 'grad', data: Floats): GradstepError {
    return new GradstepError('ERR_DETACHED', goneSentence(field, this.#label(data)));
  }

  #label(data: Floats): string {
    return this.#groups().slots.rows.find((row) => row.data === data)!.label;
  }
}
