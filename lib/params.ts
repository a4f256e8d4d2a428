/**
 * The many ways in which parameters are given: one, a list, a generator, a Set, a Map of names,
 * `[name, parameter]` pairs. All become a list of parameters, with names or without.
 */

import { isFloat32Array, isGone } from './arrays.ts';
import { describe } from './describe.ts';
import { GradstepError } from './errors.ts';
import type { Where } from './options.ts';
import type { ParameterLike } from './parameter.ts';

/** A parameter with its name, as `Object.entries` gives them. */
export type NamedParameter = readonly [name: string, parameter: ParameterLike];

/** What a group's `params` may be. */
export type ParamsInput =
  | ParameterLike
  | NamedParameter
  | Iterable<ParameterLike>
  | Iterable<NamedParameter>;

/** Parameters in order, their arrays (each read once), and their names if they have any. */
export interface ParamList {
  readonly params: readonly ParameterLike[];
  readonly data: readonly Float32Array<ArrayBufferLike>[];
  readonly names: readonly string[] | undefined;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isPair(value: unknown): value is NamedParameter {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string';
}

export function isIterable(value: unknown): value is Iterable<unknown> {
  return isObject(value) && typeof Reflect.get(value, Symbol.iterator) === 'function';
}

/** A parameter is an object with `data`; arrays and other iterables are collections of them. */
function isSingle(value: unknown): boolean {
  return isObject(value) && 'data' in value && !isIterable(value);
}

/**
 * Reads `params` of a group.
 * @throws {GradstepError} `ERR_INVALID_PARAMETER` or `ERR_NAMES`, with torch's phrases.
 */
export function listParams(input: unknown, where: Where): ParamList {
  if (isSingle(input)) return listParams([input], where);
  if (isPair(input)) return listParams([input], where);
  if (!isIterable(input) || ArrayBuffer.isView(input)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      'Expected params to be a parameter, or an iterable of parameters or of [name, parameter] ' +
        `pairs, but received ${describe(input)}${hint(input)}${where}`,
    );
  }
  const items = [...input];
  const names = items.filter(isPair).map(([name]) => name);
  if (names.length > 0 && names.length < items.length) {
    throw new GradstepError(
      'ERR_NAMES',
      'all optimizer params should be with/without names. Some param names are missing: ' +
        `${names.length} of ${items.length} have one${where}`,
    );
  }
  const params = items.map((item) => (isPair(item) ? item[1] : item) as ParameterLike);
  const label = (i: number) => (names.length > 0 ? `'${names[i]}'` : `at index ${i}`);
  const data = params.map((parameter, i) => readData(parameter, label(i), where));
  // After the last getter of a user has run.
  const gone = data.findIndex(isGone);
  if (gone >= 0) {
    throw new GradstepError(
      'ERR_DETACHED',
      `The buffer of parameter ${label(gone)} was transferred, or shrunk to less than its data` +
        `${where}`,
    );
  }
  return { params: Object.freeze(params), data, names: names.length > 0 ? names : undefined };
}

function readData(parameter: unknown, label: string, where: Where) {
  if (!isObject(parameter) || !('data' in parameter)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      'optimizer can only optimize parameters (objects with data and grad), but the one ' +
        `${label} is ${describe(parameter)}${hint(parameter)}${where}`,
    );
  }
  const { data } = parameter;
  if (!isFloat32Array(data)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected data of parameter ${label} to be a Float32Array ` +
        `but received ${describe(data)}${where}`,
    );
  }
  return data;
}

function hint(value: unknown): string {
  return isFloat32Array(value) ? '; wrap it: new Parameter(array)' : '';
}

/** Refuses a name that stands twice in one group: it would not tell which is meant. */
export function checkNames(names: readonly string[], count: number, where: Where): void {
  if (names.length !== count) {
    throw new GradstepError(
      'ERR_NAMES',
      `Expected ${count} paramNames but received ${names.length}${where}`,
    );
  }
  const seen = new Set<unknown>();
  for (const name of names) {
    if (typeof name !== 'string' || seen.has(name)) {
      throw new GradstepError(
        'ERR_NAMES',
        `Expected names of parameters to be different strings but received ${describe(name)}` +
          `${typeof name === 'string' ? ' twice' : ''}${where}`,
      );
    }
    seen.add(name);
  }
}
