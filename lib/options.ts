/**
 * The options of an optimizer: their order, defaults, checks, and their places in a group's
 * hyperparameter struct. One `Schema` per optimizer; everything that reads or writes options
 * goes through it.
 */

import { describe, nearest } from './describe.ts';
import { GradstepError } from './errors.ts';
import { FLOAT32_MAX } from './float32.ts';

type Doubles = Float64Array<ArrayBufferLike>;

/** Ends an error sentence: `' (group 2)'`, or an object that prints so. */
export type Where = string | { toString(): string };

/** One option: how a value is checked, and how it lies in the struct. */
export interface Option<T> {
  readonly initial: T;
  /** Names of its doubles in the struct, when it is not one double of the option's own name. */
  readonly fields?: readonly string[];
  /** Returns what to store, or throws; `where` ends the sentence. */
  check(value: unknown, key: string, where: Where): T;
  read(struct: Doubles, at: number): T;
  write(struct: Doubles, at: number, value: T): void;
}

/** The interval that a number must lie in, and what torch calls it in its messages. */
export interface Range {
  /** Default: the option's key. */
  readonly label?: string;
  /** The least value allowed. */
  readonly min?: number;
  /** The least value not allowed. */
  readonly below?: number;
  /** The largest value allowed. */
  readonly max?: number;
  /** The largest value not allowed. */
  readonly above?: number;
}

/** Options by key, in the order in which `Object.keys(group)` lists them. */
export type OptionTable<O> = { readonly [K in keyof O]-?: Option<Exclude<O[K], undefined>> };

/** A state array: its name, and the option that calls for it (else it is always there). */
export interface StateSpec<Key = string> {
  readonly name: string;
  readonly when?: Key;
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
  /** What goes wrong between values that are right one by one. */
  readonly conflict?: Conflict<O, keyof O>;
}

/** A check that involves several options. */
export interface Conflict<O, Key = PropertyKey> {
  readonly between: readonly Key[];
  /** What is wrong, if something is. */
  find(options: Required<O>): string | undefined;
}

function refuse(label: string, value: unknown, expected: string, where: Where): never {
  throw new GradstepError(
    'ERR_INVALID_OPTION',
    `Invalid ${label}: ${describe(value)}. Expected ${expected}${where}`,
  );
}

function checkNumber(value: unknown, range: Range, key: string, where: Where): number {
  if (typeof value === 'number' && Math.abs(value) <= FLOAT32_MAX && isWithin(value, range)) {
    return value;
  }
  const { label = `${key} value` } = range;
  if (typeof value === 'number' && Math.abs(value) > FLOAT32_MAX && Number.isFinite(value)) {
    refuse(label, value, `${key} to be a number that float32 can hold`, where);
  }
  const { min, above, below, max } = range;
  const bounds = Object.entries({ '>=': min, '>': above, '<': below, '<=': max })
    .filter(([, bound]) => bound !== undefined)
    .map(([relation, bound]) => ` ${relation} ${bound}`);
  refuse(label, value, `${key} to be a finite number${bounds.join(' and')}`, where);
}

function isWithin(value: number, range: Range): boolean {
  const { min = -FLOAT32_MAX, max = FLOAT32_MAX, below, above } = range;
  if (value < min || value > max) return false;
  return (below === undefined || value < below) && (above === undefined || value > above);
}

/** An option that is one number. */
export function number(initial: number, range: Range): Option<number> {
  return {
    initial,
    check: (value, key, where) => checkNumber(value, range, key, where),
    read: (struct, at) => struct[at]!,
    write: (struct, at, value) => {
      struct[at] = value;
    },
  };
}

/** An option that is on or off. */
export function flag(initial: boolean): Option<boolean> {
  return {
    initial,
    check(value, key, where) {
      if (typeof value !== 'boolean')
        refuse(`${key} value`, value, `${key} to be a boolean`, where);
      return value;
    },
    read: (struct, at) => struct[at] !== 0,
    write: (struct, at, value) => {
      struct[at] = value ? 1 : 0;
    },
  };
}

/** An option that is two numbers, each in its range. */
export function pair(
  initial: readonly [number, number],
  fields: readonly [string, string],
  ranges: readonly [Range, Range],
): Option<readonly [number, number]> {
  return {
    initial: Object.freeze([...initial] as const),
    fields,
    check(value, key, where) {
      if (!Array.isArray(value) || value.length !== 2) {
        refuse(`${key} value`, value, `${key} to be an array of two numbers`, where);
      }
      const checked = [0, 1].map((i) => {
        return checkNumber(value[i], ranges[i]!, `${key}[${i}]`, where);
      });
      return Object.freeze(checked) as unknown as readonly [number, number];
    },
    read: (struct, at) => Object.freeze([struct[at]!, struct[at + 1]!] as const),
    write(struct, at, value) {
      struct[at] = value[0];
      struct[at + 1] = value[1];
    },
  };
}

/** The two decay rates of Adam and its kin, in [0, 1). */
export function betas(initial: readonly [number, number]): Option<readonly [number, number]> {
  const range = (i: number): Range => ({
    label: `beta parameter at index ${i}`,
    min: 0,
    below: 1,
  });
  return pair(initial, ['beta1', 'beta2'], [range(0), range(1)]);
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
  readonly #conflict: Conflict<O> | undefined;
  readonly #keys: ReadonlySet<string>;

  constructor(spec: SchemaSpec<O>) {
    this.name = spec.name;
    this.rule = spec.rule;
    this.state = spec.state;
    this.counted = spec.counted;
    this.record = ['step', ...(spec.scalars ?? [])];
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
    const values: Record<string, unknown> = { ...given };
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

  /** The error for a key that is no option, with the nearest that is. */
  unknown(key: string, where: Where, also: readonly string[] = []): GradstepError {
    const known = [...this.keys, ...also];
    const guess = nearest(key, known);
    return new GradstepError(
      'ERR_UNKNOWN_OPTION',
      `Unknown option '${key}'${guess ? `; did you mean ${guess}?` : '.'} ` +
        `Expected one of ${known.join(', ')}${where}`,
    );
  }
}
