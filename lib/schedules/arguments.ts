/**
 * How the arguments of schedules and schedulers are declared and checked. A table names each
 * argument once, with its check and its default; unknown names are refused.
 */

import { synonymOf } from '../options/elsewhere.ts';
import { describe, nearest } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ownProperties } from '../support/own-properties.ts';

/** Returns the value, or throws a sentence about `name`. */
export type Check<T> = (value: unknown, name: string) => T;

/** One argument: its check, and its default unless it must be given. */
export interface Argument<T> {
  readonly check: Check<T>;
  readonly required: boolean;
  readonly initial?: T;
  /** Given once for good, and not part of a saved state. */
  readonly fixed?: true;
}

/** The arguments of one function or class, by name. */
export type ArgumentTable<O> = {
  readonly [K in keyof O]-?: Argument<Exclude<O[K], undefined> | undefined>;
};

/** An argument that has to be given. */
export function required<T>(check: Check<T>): Argument<T> {
  return { check, required: true };
}

/** An argument with a default. */
export function optional<T>(check: Check<T>, initial: T): Argument<T> {
  return { check, required: false, initial };
}

/** An argument that may be left out, and is `undefined` then. */
export function omissible<T>(check: Check<T>): Argument<T | undefined> {
  return { check, required: false };
}

/** Throws: torch's phrase, if it has one for this mistake, and what was expected. */
export function refuse(value: unknown, expected: string, phrase = ''): never {
  throw new GradstepError(
    'ERR_INVALID_OPTION',
    `${phrase && `${phrase} `}Expected ${expected} but received ${describe(value)}`,
  );
}

/** Where a number has to lie. */
export interface Interval {
  readonly min?: number;
  readonly max?: number;
  /** The number is greater than this. */
  readonly above?: number;
  /** The number is less than this. */
  readonly below?: number;
}

function within(value: number, interval: Interval): boolean {
  const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity } = interval;
  return value >= min && value <= max && value > above && value < below;
}

function bounds({ min, max, above, below }: Interval): string {
  const parts = [
    min === undefined ? '' : `>= ${min}`,
    above === undefined ? '' : `> ${above}`,
    max === undefined ? '' : `<= ${max}`,
    below === undefined ? '' : `< ${below}`,
  ].filter(Boolean);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}

/** A finite number. */
export function real(interval: Interval = {}, phrase?: string): Check<number> {
  return (value, name) => {
    if (typeof value === 'number' && Number.isFinite(value) && within(value, interval)) {
      return value;
    }
    return refuse(value, `${name} to be a finite number${bounds(interval)}`, phrase);
  };
}

/** A whole number that is at least `min`. */
export function integer(min: number, phrase?: (value: unknown) => string): Check<number> {
  return (value, name) => {
    if (Number.isSafeInteger(value) && (value as number) >= min) return value as number;
    return refuse(value, `${name} to be an integer >= ${min}`, phrase?.(value));
  };
}

/** True or false. */
export const flag: Check<boolean> = (value, name) =>
  typeof value === 'boolean' ? value : refuse(value, `${name} to be a boolean`);

/** One of a few words. */
export function oneOf<const T extends string>(
  words: readonly T[],
  phrase?: (value: unknown) => string,
): Check<T> {
  return (value, name) => {
    if (words.includes(value as T)) return value as T;
    const list = words.map((word) => `'${word}'`).join(' or ');
    return refuse(value, `${name} to be ${list}`, phrase?.(value));
  };
}

/** A function. What it returns is checked where it is called. */
export function callable<F extends (...args: never[]) => unknown>(phrase?: string): Check<F> {
  return (value, name) =>
    typeof value === 'function' ? (value as F) : refuse(value, `${name} to be a function`, phrase);
}

/** A list of values that all pass `check`; what comes back is a frozen copy. */
export function listOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) return refuse(value, `${name} to be an array`);
    return Object.freeze(value.map((item, i) => check(item, `${name}[${i}]`)));
  };
}

/** One value for all groups, or a list with one for each. */
export function perGroup<T>(check: Check<T>): Check<T | readonly T[]> {
  const list = listOf(check);
  return (value, name) => (Array.isArray(value) ? list(value, name) : check(value, name));
}

/**
 * What was given, over the defaults; each property is read once.
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function parseArguments<O extends object>(
  table: ArgumentTable<O>,
  given: unknown,
  where: string,
): Required<O> {
  const names = Object.keys(table) as (keyof O & string)[];
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return refuse(given, `the options of ${where} as an object, { ${names.join(', ')} },`);
  }
  const values = ownProperties(given) as Record<string, unknown>;
  for (const key of Object.keys(values)) {
    if (!Object.hasOwn(table, key)) throw unknownArgument(key, names, where);
  }
  const entries = names.map((name) => {
    const { check, required: must, initial } = table[name] as Argument<unknown>;
    const value = values[name];
    return [name, value === undefined && !must ? initial : check(value, `${name} of ${where}`)];
  });
  return Object.fromEntries(entries) as Required<O>;
}

/** The error for a name that is not in the table, with the nearest that is. */
export function unknownArgument(
  key: string,
  names: readonly string[],
  where: string,
): GradstepError {
  const guess = synonymOf(key, names) ?? nearest(key, names);
  return new GradstepError(
    'ERR_UNKNOWN_OPTION',
    `Unknown option '${key}' of ${where}${guess ? `; did you mean ${guess}?` : '.'} ` +
      `Expected one of ${names.join(', ')}`,
  );
}
