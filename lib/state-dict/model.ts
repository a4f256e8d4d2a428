/** The values of a model's parameters as a state dict. */

import { activeBackend } from '../backend/active.ts';
import { isObject, listParams, type NamedParameter } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { ParameterArena } from '../parameters/parameter-arena.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { type Floats, isFloat32Array, lengthOf, viewOf } from '../support/typed-arrays.ts';
import { type NamedArray, prepareArrays } from './arrays.ts';
import { isShape, shapeOf } from './parameter-shape.ts';
import { copyOf, field, isPlainObject, readPlain, refuseDict } from './plain.ts';
import {
  type LoadReport,
  loadAll,
  type PendingLoad,
  readDictOptions,
  readStateDictOptions,
  type StateDictOptions,
} from './stateful.ts';

/**
 * Named parameters: an arena, a Map, `[name, parameter]` pairs, or parameters that have names of
 * their own.
 */
export type Model = ParameterArena | Iterable<NamedParameter> | Iterable<ParameterLike>;

/** Values and shape of each parameter, by name. */
export interface ModelStateDict {
  readonly [name: string]: { readonly data: Floats; readonly shape: readonly number[] };
}

/** Options of `loadModelStateDict`. */
export interface LoadModelOptions {
  /** False loads what fits, and tells what does not. Default: true, all or nothing. */
  readonly strict?: boolean;
}

/**
 * The values and shapes of a model's parameters, by name.
 *
 * ```ts
 * const saved = modelStateDict(arena);
 * loadModelStateDict(arena, saved);
 * ```
 *
 * @throws {GradstepError} `ERR_NAMES` unless all have different names, `ERR_INVALID_PARAMETER`,
 * `ERR_DETACHED`, `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_MEMORY`.
 */
export function modelStateDict(model: Model, options: StateDictOptions = {}): ModelStateDict {
  const { copy } = readStateDictOptions(options);
  const entries = listModel(model).map(({ name, array, shape, size }) => {
    return [name, { data: copy ? copyOf(array) : array, shape: shape ?? [size] }];
  });
  return Object.fromEntries(entries) as ModelStateDict;
}

/**
 * Copies values into a model's parameters, by name. Sizes and shapes must be the same; everything
 * is checked before anything changes.
 *
 * @returns With `strict: false`, what it has left alone.
 * @throws {GradstepError} `ERR_STATE_DICT`, `ERR_BUSY` while an asynchronous step is working on
 * them, and as `modelStateDict`; nothing has changed then.
 */
export function loadModelStateDict(
  model: Model,
  dict: ModelStateDict,
  options: LoadModelOptions = {},
): LoadReport {
  return loadAll([prepareModelLoad(model, dict, options)])[0]!;
}

/** The first half of `loadModelStateDict`. */
export function prepareModelLoad(
  model: Model,
  dict: unknown,
  options: LoadModelOptions = {},
): PendingLoad {
  const { strict } = readDictOptions(options, { strict: true });
  const saved = readModel(dict);
  const load = prepareArrays(listModel(model), saved, strict, refuseBusy);
  return { reserve: () => load.reserve(), commit: () => load.commit(), finish() {} };
}

/** Users' getters run here. */
function listModel(model: unknown): NamedArray[] {
  const given = model instanceof ParameterArena ? model.namedParameters() : model;
  const { params, data, names, labels } = listParams(given, undefined, ' (model)');
  const seen = new Set<string>();
  return params.map((parameter, i) => {
    const name = names?.[i] ?? labels[i];
    if (name === undefined || seen.has(name)) {
      throw new GradstepError(
        'ERR_NAMES',
        'Expected the parameters of a model to have different names, as [name, parameter] pairs ' +
          `or of their own, but received ${name === undefined ? 'none' : `'${name}' twice`} ` +
          `at index ${i}`,
      );
    }
    seen.add(name);
    const array = data[i]!;
    const size = lengthOf(array);
    return { name, label: `'${name}'`, size, shape: shapeOf(parameter, size), array };
  });
}

/** @throws {GradstepError} `ERR_STATE_DICT`, `ERR_DETACHED`. */
export function readModel(dict: unknown): NamedArray[] {
  if (!isObject(dict)) refuseDict(`Expected a model's state dict but received ${describe(dict)}`);
  return Object.entries(readPlain(dict, "the model's state dict")).map(([name, entry]) => {
    const data = isPlainObject(entry) ? field(entry, 'data') : undefined;
    if (!isPlainObject(entry) || !isFloat32Array(data)) {
      return refuseDict(
        `Expected '${name}' of the model's state dict to be { data: Float32Array, shape } ` +
          `but received ${describe(data ?? entry)}`,
      );
    }
    const [size, shape] = [lengthOf(data), field(entry, 'shape')];
    if (shape !== undefined && !isShape(shape, size)) {
      return refuseDict(
        `Expected the shape of '${name}' to be that of ${size} values ` +
          `but received ${describe(shape)}`,
      );
    }
    return { name, label: `'${name}'`, size, shape, array: data };
  });
}

/** An asynchronous step in any thread may be writing them; the first value of each tells. */
function refuseBusy(targets: readonly Floats[]): void {
  const first = targets.filter((array) => array[0] !== undefined).map((a) => viewOf(a, 0, 1));
  try {
    activeBackend().countNonFinite(first);
  } catch (cause) {
    throw new GradstepError(
      'ERR_BUSY',
      'An asynchronous step is working on parameters of this model: await it first',
      { cause },
    );
  }
}
