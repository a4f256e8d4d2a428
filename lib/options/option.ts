/** The kinds of options: how a value is checked, and how it lies in a group's struct. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { FLOAT32_MAX } from '../support/float32.ts';
import type { Doubles } from '../support/typed-arrays.ts';

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

/** Throws: torch's phrase, with the value as it would print it, and what was expected. */
export function refuse(label: string, shown: string, expected: string, where: Where): never {
  throw new GradstepError(
    'ERR_INVALID_OPTION',
    `Invalid ${label}: ${shown}. Expected ${expected}${where}`,
  );
}

/** @param shown What the sentence shows as what came. */
function checkNumber(
  value: unknown,
  range: Range,
  key: string,
  where: Where,
  shown: string = describe(value),
): number {
  if (typeof value === 'number' && Math.abs(value) <= FLOAT32_MAX && isWithin(value, range)) {
    return value;
  }
  const { label = `${key} value` } = range;
  if (typeof value === 'number' && Math.abs(value) > FLOAT32_MAX && Number.isFinite(value)) {
    refuse(label, shown, `${key} to be a number that float32 can hold`, where);
  }
  const { min, above, below, max } = range;
  const bounds = Object.entries({ '>=': min, '>': above, '<': below, '<=': max })
    .filter(([, bound]) => bound !== undefined)
    .map(([relation, bound]) => ` ${relation} ${bound}`);
  refuse(label, shown, `${key} to be a finite number${bounds.join(' and')}`, where);
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
      if (typeof value === 'boolean') return value;
      return refuse(`${key} value`, describe(value), `${key} to be a boolean`, where);
    },
    read: (struct, at) => struct[at] !== 0,
    write: (struct, at, value) => {
      struct[at] = value ? 1 : 0;
    },
  };
}

/** An option that is one of a few words, stored as its place among them; the first is the default. */
export function choice<T extends string>(words: readonly T[], label: string): Option<T> {
  return {
    initial: words[0]!,
    check(value, key, where) {
      if (words.includes(value as T)) return value as T;
      const list = words.map((word) => `'${word}'`).join(', ');
      return refuse(label, describe(value), `${key} to be one of ${list}`, where);
    },
    read: (struct, at) => words[struct[at]!]!,
    write(struct, at, value) {
      struct[at] = words.indexOf(value);
    },
  };
}

/** A number as Python prints a float: 1.0. */
function describeFloat(value: unknown): string {
  const isWhole = Number.isInteger(value) && Math.abs(value as number) < 1e16;
  return isWhole ? (value as number).toFixed(1) : describe(value);
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
        refuse(`${key} value`, describe(value), `${key} to be an array of two numbers`, where);
      }
      const given: unknown[] = [value[0], value[1]];
      // What torch says of both at once shows both.
      const isOne = ranges[0].label !== undefined && ranges[0].label === ranges[1].label;
      const both = isOne ? given.map(describeFloat).join(', ') : undefined;
      const checked = given.map((item, i) => {
        return checkNumber(item, ranges[i]!, `${key}[${i}]`, where, both);
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

/** An option that is three numbers, each in its range. */
export function triple(
  initial: readonly [number, number, number],
  fields: readonly [string, string, string],
  range: (i: number) => Range,
  expected = 'an array of three numbers',
): Option<readonly [number, number, number]> {
  return {
    initial: Object.freeze([...initial] as const),
    fields,
    check(value, key, where) {
      if (!Array.isArray(value) || value.length !== 3) {
        refuse(`${key} value`, describe(value), `${key} to be ${expected}`, where);
      }
      const given: unknown[] = [value[0], value[1], value[2]];
      const checked = given.map((item, i) => checkNumber(item, range(i), `${key}[${i}]`, where));
      return Object.freeze(checked) as unknown as readonly [number, number, number];
    },
    read: (struct, at) => Object.freeze([struct[at]!, struct[at + 1]!, struct[at + 2]!] as const),
    write(struct, at, value) {
      for (let i = 0; i < 3; i++) struct[at + i] = value[i]!;
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
