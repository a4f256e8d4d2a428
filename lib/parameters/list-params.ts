/**
 * The many ways in which parameters are given: one, a list, a generator, a Set, a Map of names,
 * `[name, parameter]` pairs. All become a list of parameters, with names or without.
 */

import type { Where } from '../options/option.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isIterable, isObject, itemsOf } from '../support/iterables.ts';
import { type Floats, isFloat32Array, isGone, lengthOf } from '../support/typed-arrays.ts';
import { piecesOf } from './arena-shard.ts';
import { hint } from './hint.ts';
import type { ParameterLike } from './parameter.ts';
import { goneSentence } from './sentences.ts';

export { isIterable, isObject };

/** A parameter with its name, as `Object.entries` gives them. */
export type NamedParameter = readonly [name: string, parameter: ParameterLike];

/** What a group's `params` may be. */
export type ParamsInput =
  | ParameterLike
  | NamedParameter
  | Iterable<ParameterLike>
  | Iterable<NamedParameter>;

/** Parameters in order, and everything that is ever read of them here, each read once. */
export interface ParamList {
  readonly params: readonly ParameterLike[];
  readonly data: readonly Floats[];
  /** Names that were given with the parameters; all have one or none has. */
  readonly names: readonly string[] | undefined;
  /** What errors call them: the given name, else the parameter's own, if it has one. */
  readonly labels: readonly (string | undefined)[];
  /** Their shapes, where a rule wants to see them; without one of its own, a parameter is flat. */
  readonly shapes: readonly (readonly number[])[] | undefined;
}

/** A parameter with the name that came with it, if one did; each is read once. */
function readItem(item: unknown): { parameter: unknown; name: string | undefined } {
  if (Array.isArray(item) && item.length === 2) {
    const name: unknown = item[0];
    if (typeof name === 'string') return { parameter: item[1], name };
  }
  return { parameter: item, name: undefined };
}

/** A parameter is an object with `data`; arrays and other iterables are collections of them. */
function isSingle(value: unknown): boolean {
  return isObject(value) && 'data' in value && !isIterable(value);
}

interface ListOptions {
  readonly taken?: readonly string[] | undefined;
  readonly shaped?: boolean;
  readonly whole?: boolean;
}

/**
 * Reads `params` of a group, and its `paramNames` where the parameters come without names.
 * @param taken Names that the group has already.
 * @param shaped Reads their shapes too. Default: false.
 * @param whole Refuses shards of arenas, which are parts of parameters. Default: false.
 * @throws {GradstepError} `ERR_INVALID_PARAMETER`, `ERR_DETACHED` or `ERR_NAMES`.
 */
export function listParams(
  input: unknown,
  paramNames: unknown,
  where: Where,
  { taken = [], shaped = false, whole = false }: ListOptions = {},
): ParamList {
  const items = listItems(input, where).map(readItem);
  const names = listNames(
    items.map((item) => item.name),
    paramNames,
    taken,
    where,
  );
  const params: ParameterLike[] = [];
  const data: Floats[] = [];
  const label = (i: number) => (names ? `'${names[i]}'` : `at index ${i}`);
  for (const { parameter } of items) {
    data.push(readData(parameter, () => label(data.length), where));
    params.push(parameter as ParameterLike);
  }
  const labels: (string | undefined)[] = [];
  for (let i = 0; i < params.length; i++) {
    const { name } = params[i]!;
    labels.push(names?.[i] ?? (typeof name === 'string' ? name : undefined));
  }
  const shapes = shaped
    ? params.map((parameter, i) => readShape(parameter, lengthOf(data[i]!), `${label(i)}${where}`))
    : undefined;
  if (whole) refuseShards(params, data, (i) => `${label(i)}${where}`);
  // Now that the last getter of a user has run:
  for (let i = 0; i < data.length; i++) {
    if (!isGone(data[i]!)) continue;
    throw new GradstepError('ERR_DETACHED', goneSentence('data', `${label(i)}${where}`));
  }
  return { params: Object.freeze(params.slice()), data, names, labels, shapes };
}

/** A copy of the shape of a parameter, which must be one of so many values. */
function readShape(parameter: ParameterLike, length: number, label: string): readonly number[] {
  const shape: unknown = parameter.shape;
  if (shape === undefined || shape === null) return [length];
  const copy = Array.isArray(shape) ? Array.from<unknown>(shape) : undefined;
  const isRight = copy?.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
  const sizes = (isRight ? copy : [-1]) as number[];
  if (sizes.reduce((product, size) => product * size, 1) === length) return sizes;
  throw new GradstepError(
    'ERR_INVALID_PARAMETER',
    `Expected the shape of parameter ${label} to be one of ${length} values but received ` +
      `${describe(shape)}`,
  );
}

function refuseShards(
  params: readonly ParameterLike[],
  data: readonly Floats[],
  label: (i: number) => string,
): void {
  const shard = params.findIndex((parameter, i) => piecesOf(parameter, data[i]!) !== undefined);
  if (shard < 0) return;
  throw new GradstepError(
    'ERR_INVALID_PARAMETER',
    'Expected whole parameters, since a step of this optimizer looks at all of one, but received ' +
      `an arena or a shard of one: parameter ${label(shard)}`,
  );
}

/**
 * Refuses parameters that stand twice in a list, or in it and in `known`.
 * @param labelOf What errors call those.
 * @throws {GradstepError} `ERR_DUPLICATE_PARAMETER`.
 */
export function refuseDuplicates(
  params: readonly ParameterLike[],
  known: ReadonlyMap<ParameterLike, number>,
  labelOf: (slot: number) => string,
): void {
  const seen = new Set<ParameterLike>();
  for (let i = 0; i < params.length; i++) {
    const parameter = params[i]!;
    const other = known.get(parameter);
    if (other !== undefined) {
      throw new GradstepError(
        'ERR_DUPLICATE_PARAMETER',
        'some parameters appear in more than one parameter group: ' +
          `parameter ${labelOf(other)} is given again`,
      );
    }
    if (seen.has(parameter)) {
      throw new GradstepError(
        'ERR_DUPLICATE_PARAMETER',
        'optimizer contains a parameter group with duplicate parameters: ' +
          `those at index ${params.indexOf(parameter)} and ${i} are the same`,
      );
    }
    seen.add(parameter);
  }
}

function listItems(input: unknown, where: Where): unknown[] {
  if (isSingle(input) || readItem(input).name !== undefined) return [input];
  if (isIterable(input) && !ArrayBuffer.isView(input)) return itemsOf(input, 'params', where);
  throw new GradstepError(
    'ERR_INVALID_PARAMETER',
    'Expected params to be a parameter, or an iterable of parameters or of [name, parameter] ' +
      `pairs, but received ${describe(input)}${hint(input)}${where}`,
  );
}

/** @param own The names that came with the parameters. */
function listNames(
  own: readonly (string | undefined)[],
  given: unknown,
  taken: readonly string[],
  where: Where,
) {
  const named = own.filter((name) => name !== undefined);
  if (named.length > 0 && named.length < own.length) {
    throw new GradstepError(
      'ERR_NAMES',
      'all optimizer params should be with/without names. Some param names are missing: ' +
        `${named.length} of ${own.length} have one${where}`,
    );
  }
  if (given === undefined) {
    if (named.length === 0) return undefined;
    checkNames(named, taken, where);
    return Object.freeze(named);
  }
  const names: unknown[] | undefined = Array.isArray(given) ? [...given] : undefined;
  if (names?.length !== own.length) {
    throw new GradstepError(
      'ERR_NAMES',
      `Expected paramNames to be an array of ${own.length} names ` +
        `but received ${describe(given)}${where}`,
    );
  }
  if (named.length > 0 && named.some((name, i) => name !== names[i])) {
    throw new GradstepError('ERR_NAMES', `paramNames differ from the names in params${where}`);
  }
  checkNames(names, taken, where);
  return Object.freeze(names as string[]);
}

function readData(parameter: unknown, label: () => string, where: Where): Floats {
  if (!isObject(parameter) || !('data' in parameter)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      'optimizer can only optimize Tensors, that is parameters (objects with data and grad), ' +
        `but the one ${label()} is ${describe(parameter)}${hint(parameter)}${where}`,
    );
  }
  const { data } = parameter;
  if (!isFloat32Array(data)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected data of parameter ${label()} to be a Float32Array ` +
        `but received ${describe(data)}${hint(parameter) || hint(data)}${where}`,
    );
  }
  return data;
}

/** Refuses what is no name, and a name that stands twice: it would not tell which is meant. */
function checkNames(names: readonly unknown[], taken: readonly string[], where: Where): void {
  const seen = new Set<unknown>(taken);
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
