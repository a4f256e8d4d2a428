/**
 * The options of an optimizer: their order, defaults, checks, and their places in a group's
 * hyperparameter struct. One `Schema` per optimizer; everything that reads or writes options
 * goes through it.
 */

import { nearest } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ownProperties } from '../support/own-properties.ts';
import type { Doubles } from '../support/typed-arrays.ts';
import { synonymOf, whyLeftOut } from './elsewhere.ts';
import type { Option, Where } from './option.ts';

/** Options by key, in the order in which `Object.keys(group)` lists them. */
export type OptionTable<O> = { readonly [K in keyof O]-?: Option<Exclude<O[K], undefined>> };

/** A state array: its name, and the option that calls for it (else it is always there). */
export interface StateSpec<Key = string> {
  readonly name: string;
  readonly when?: Key;
  /** Its shape by that of the parameter, if that is another; undefined: this one has none. */
  readonly shape?: (parameter: readonly number[]) => readonly number[] | undefined;
}

/** What an optimizer's file says about it. */
export interface SchemaSpec<O> {
  /** The class's name, for prints and errors. */
  readonly name: string;
  /** The update rule's name in both backends. */
  readonly rule: string;
  readonly options: OptionTable<O>;
  readonly state: readonly StateSpec<keyof O>[];
  /** Whether `state.get(p).step` exists, as in torch's state. */
  readonly counted: boolean;
  /** Names of numbers that the state holds beside its arrays and the step. */
  readonly scalars?: readonly string[];
  /** Whether its rule sees the shapes of parameters. */
  readonly shaped?: boolean;
  /** Whether the step of one value depends on all of its parameter. Default: as `shaped`. */
  readonly whole?: boolean;
  /** What is wrong with a parameter of this shape, if something is. */
  readonly refuseShape?: (shape: readonly number[]) => string | undefined;
  /** What goes wrong between values that are right one by one. */
  readonly conflict?: Conflict<O, keyof O>;
}

/** A check that involves several options. */
export interface Conflict<O, Key = PropertyKey> {
  readonly between: readonly Key[];
  /** What is wrong, if something is. */
  find(options: Required<O>): string | undefined;
}

/** An option with its key and the place of its first double. */
export interface Placed {
  readonly key: string;
  readonly option: Option<unknown>;
  readonly at: number;
  /** Whether it has to go together with others. */
  readonly entangled: boolean;
  /** Whether switching it on calls for state. */
  readonly needsState: boolean;
}

/** The options of one optimizer class, laid out. */
export class Schema<O extends object> {
  readonly name: string;
  readonly rule: string;
  readonly state: readonly StateSpec<PropertyKey>[];
  readonly counted: boolean;
  /** The doubles that every parameter has: its step count, then the schema's scalars. */
  readonly record: readonly string[];
  /** The doubles of a struct, in order; the native core is asked for the same list. */
  readonly fields: readonly string[];
  readonly placed: readonly Placed[];
  readonly shaped: boolean;
  readonly whole: boolean;
  readonly refuseShape: SchemaSpec<O>['refuseShape'];
  readonly #conflict: Conflict<O> | undefined;
  readonly #keys: ReadonlySet<string>;

  constructor(spec: SchemaSpec<O>) {
    this.name = spec.name;
    this.rule = spec.rule;
    this.state = spec.state;
    this.counted = spec.counted;
    this.record = ['step', ...(spec.scalars ?? [])];
    this.shaped = spec.shaped ?? false;
    this.whole = spec.whole ?? this.shaped;
    this.refuseShape = spec.refuseShape;
    this.#conflict = spec.conflict;
    const fields: string[] = [];
    this.placed = Object.entries<Option<unknown>>(spec.options).map(([key, option]) => {
      const at = fields.length;
      fields.push(...(option.fields ?? [key]));
      const entangled = spec.conflict?.between.includes(key as keyof O) ?? false;
      const needsState = spec.state.some(({ when }) => when === key);
      return { key, option, at, entangled, needsState };
    });
    this.fields = fields;
    this.#keys = new Set(this.placed.map(({ key }) => key));
  }

  /** Whether it was made here: an optimizer's struct is trusted to nothing else. */
  static is(value: object): boolean {
    return #keys in value;
  }

  get keys(): readonly string[] {
    return this.placed.map(({ key }) => key);
  }

  /** The defaults as torch has them. */
  initial(): Required<O> {
    return Object.fromEntries(
      this.placed.map(({ key, option }) => [key, option.initial]),
    ) as Required<O>;
  }

  /**
   * Options as a user gave them, over `base`. Reads each once and changes nothing.
   * @param also Keys that are no options but allowed here.
   */
  parse(given: object, base: Required<O>, where: Where, also: readonly string[]): Required<O> {
    const values = ownProperties(given) as Record<string, unknown>;
    for (const key of Object.keys(values)) {
      if (!also.includes(key) && !this.#keys.has(key)) throw this.unknown(key, where, also);
    }
    const result: Record<string, unknown> = { ...base };
    for (const { key, option } of this.placed) {
      if (values[key] !== undefined) result[key] = option.check(values[key], key, where);
    }
    this.checkTogether(result as Required<O>, where);
    return result as Required<O>;
  }

  /** Throws when values do not go together. */
  checkTogether(options: Required<O>, where: Where): void {
    const found = this.#conflict?.find(options);
    if (found !== undefined) throw new GradstepError('ERR_INVALID_OPTION', `${found}${where}`);
  }

  /** How long each kind of state is for a parameter of this shape; -1: it has none. */
  stateLengths(parameter: readonly number[]): readonly number[] {
    const size = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);
    return this.state.map(({ shape = (own) => own }) => {
      const mine = shape(parameter);
      return mine === undefined ? -1 : size(mine);
    });
  }

  /** The options in force. */
  read(struct: Doubles): Required<O> {
    const options: Record<string, unknown> = {};
    for (const { key, option, at } of this.placed) options[key] = option.read(struct, at);
    return options as Required<O>;
  }

  write(struct: Doubles, options: Required<O>): void {
    for (const { key, option, at } of this.placed) {
      option.write(struct, at, options[key as keyof O]);
    }
  }

  /** What a struct with these options holds; a user's own option may run code here. */
  encode(options: Required<O>): Doubles {
    const doubles = new Float64Array(this.fields.length);
    this.write(doubles, options);
    return doubles;
  }

  /** The error for a key that is no option, with the nearest that is. */
  unknown(key: string, where: Where, also: readonly string[] = []): GradstepError {
    const known = [...this.keys, ...also];
    const reason = whyLeftOut(key);
    const guess = synonymOf(key, known) ?? nearest(key, known);
    const advice = guess ? `; did you mean ${guess}?` : '.';
    return new GradstepError(
      'ERR_UNKNOWN_OPTION',
      `Unknown option '${key}'${reason ? `; leave it out: ${reason}.` : advice} ` +
        `Expected one of ${known.join(', ')}${where}`,
    );
  }
}
