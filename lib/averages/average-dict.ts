/** The state dict of an average, and what is read from one. */

import { averagedOf, callsOf } from '../backend/portable/rules/average.ts';
import type { Schema } from '../options/schema.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { type NamedArray, prepareArrays } from '../state-dict/arrays.ts';
import type { OwnLoad } from '../state-dict/has-state-dict.ts';
import { isShape, shapeOf } from '../state-dict/parameter-shape.ts';
import {
  copyOf,
  field,
  isPlainObject,
  type PlainObject,
  readPlain,
  refuseDict,
} from '../state-dict/plain.ts';
import type { LoadStateDictOptions } from '../state-dict/stateful.ts';
import { describe } from '../support/describe.ts';
import { type Floats, isFloat32Array, lengthOf } from '../support/typed-arrays.ts';
import { labelOf } from './average-list.ts';
import type { AverageTable } from './average-table.ts';
import type { PaceOptions } from './options.ts';

/** What `stateDict()` of an average gives: JSON values and arrays. */
export interface AverageStateDict {
  /** The class: 'EMA', 'SWA' or 'AveragedModel'. */
  readonly type: string;
  /** How many updates have been averaged. */
  readonly nAveraged: number;
  /** How many there have been, with those that passed by or only copied. */
  readonly nUpdates: number;
  readonly options: { readonly [option: string]: unknown };
  /** What each parameter is known by; buffers come last. */
  readonly parameters: readonly {
    readonly name?: string;
    readonly shape?: readonly number[];
  }[];
  /** The average of each. */
  readonly averages: readonly Floats[];
}

/** The parts of an average that its state dict holds. */
export interface SavedAverage {
  readonly schema: Schema<PaceOptions>;
  readonly table: AverageTable;
  readonly params: readonly ParameterLike[];
  readonly names: readonly (string | undefined)[];
}

/** Parameters with their averages. Users' getters run here. */
function listAverages({ params, names, table }: SavedAverage): NamedArray[] {
  return params.map((parameter, i) => {
    const [name, array] = [names[i], table.averages[i]!];
    const size = lengthOf(array);
    return { name, label: labelOf(name, i), size, shape: shapeOf(parameter, size), array };
  });
}

export function writeAverage(average: SavedAverage, copy: boolean): AverageStateDict {
  const { schema, table } = average;
  const list = listAverages(average);
  return {
    type: schema.name,
    nAveraged: averagedOf(table.count, schema.read(table.struct)),
    nUpdates: table.count,
    options: schema.read(table.struct) as Record<string, unknown>,
    parameters: list.map(({ name, shape }) => ({
      ...(name !== undefined && { name }),
      ...(shape && { shape }),
    })),
    averages: list.map(({ array }) => (copy ? copyOf(array) : array)),
  };
}

/**
 * The first half of a load.
 * @param averageNow Gives the average, or throws if it cannot be written at that moment.
 * @throws {GradstepError} `ERR_STATE_DICT`, `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function prepareAverage(
  averageNow: () => SavedAverage,
  given: unknown,
  { strict, options }: Required<LoadStateDictOptions>,
): OwnLoad {
  const { schema, table } = averageNow();
  const dict = readAverage(schema, given);
  const load = prepareArrays(listAverages(averageNow()), dict.list, strict, averageNow);
  return {
    reserve: () => load.reserve(),
    commit() {
      if (options === 'load') table.writeOptions(dict.options);
      table.setCount(dict.nUpdates);
      return load.commit();
    },
  };
}

/** A dict that has been read. */
interface ReadAverage {
  readonly nUpdates: number;
  readonly options: object;
  readonly list: readonly NamedArray[];
}

/** @throws {GradstepError} `ERR_STATE_DICT`, `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`. */
function readAverage(schema: Schema<PaceOptions>, given: unknown): ReadAverage {
  const dict = readPlain(given, `the state dict of ${schema.name}`);
  const type = field(dict, 'type');
  if (type !== schema.name) refuse(`the state dict of ${schema.name}`, type);
  const saved = field(dict, 'options') ?? {};
  if (!isPlainObject(saved)) return refuse('options to be an object', saved);
  const options = schema.parse(saved, schema.initial(), ' (state dict)', []);
  const averages = field(dict, 'averages');
  const parameters = field(dict, 'parameters') ?? [];
  if (!Array.isArray(averages) || !Array.isArray(parameters)) {
    return refuse('averages and parameters to be lists', averages);
  }
  return {
    nUpdates: readCount(dict, options),
    options,
    list: averages.map((array, i) => readArray(array, parameters[i] ?? {}, i)),
  };
}

/** Older dicts count nothing but what was averaged. */
function readCount(dict: PlainObject, options: Required<PaceOptions>): number {
  const nAveraged = field(dict, 'nAveraged');
  if (!isCount(nAveraged)) return refuse('nAveraged to be an integer >= 0', nAveraged);
  const nUpdates = field(dict, 'nUpdates') ?? callsOf(nAveraged, options);
  if (!isCount(nUpdates)) return refuse('nUpdates to be an integer >= 0', nUpdates);
  const averaged = averagedOf(nUpdates, options);
  if (averaged === nAveraged) return nUpdates;
  return refuse(`nAveraged to be ${averaged}, as of ${nUpdates} updates`, nAveraged);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readArray(array: unknown, parameter: unknown, i: number): NamedArray {
  if (!isFloat32Array(array)) return refuse(`averages[${i}] to be a Float32Array`, array);
  if (!isPlainObject(parameter)) return refuse(`parameters[${i}] to be an object`, parameter);
  const [name, shape] = [field(parameter, 'name'), field(parameter, 'shape')];
  if (name !== undefined && typeof name !== 'string') return refuse('a name as a string', name);
  const size = lengthOf(array);
  if (shape !== undefined && !isShape(shape, size)) {
    return refuse(`the shape of averages[${i}] to be that of ${size} values`, shape);
  }
  return { name, label: labelOf(name, i), size, shape, array };
}

function refuse(expected: string, value: unknown): never {
  return refuseDict(`Expected ${expected} but received ${describe(value)}`);
}
