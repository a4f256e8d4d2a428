/** The state dict of an average, and what is read from one. */

import type { Schema } from '../options/schema.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { type NamedArray, prepareArrays } from '../state-dict/arrays.ts';
import type { OwnLoad } from '../state-dict/has-state-dict.ts';
import { isShape, shapeOf } from '../state-dict/parameter-shape.ts';
import { copyOf, field, isPlainObject, readPlain, refuseDict } from '../state-dict/plain.ts';
import type { LoadStateDictOptions } from '../state-dict/stateful.ts';
import { describe } from '../support/describe.ts';
import { type Floats, isFloat32Array, lengthOf } from '../support/typed-arrays.ts';
import { type AverageTable, labelOf } from './average-table.ts';

/** What `stateDict()` of an average gives: JSON values and arrays. */
export interface AverageStateDict {
  /** The class: 'EMA' or 'SWA'. */
  readonly type: string;
  /** How many updates there have been. */
  readonly nAveraged: number;
  readonly options: { readonly [option: string]: unknown };
  /** What each parameter is known by. */
  readonly parameters: readonly {
    readonly name?: string;
    readonly shape?: readonly number[];
  }[];
  /** The average of each. */
  readonly averages: readonly Floats[];
}

/** The parts of an average that its state dict holds. */
export interface SavedAverage {
  readonly schema: Schema<object>;
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
    nAveraged: table.count,
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
      if (options === 'load') schema.write(table.struct, dict.options);
      table.setCount(dict.nAveraged);
      return load.commit();
    },
  };
}

/** A dict that has been read. */
interface ReadAverage {
  readonly nAveraged: number;
  readonly options: object;
  readonly list: readonly NamedArray[];
}

/** @throws {GradstepError} `ERR_STATE_DICT`, `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`. */
function readAverage(schema: Schema<object>, given: unknown): ReadAverage {
  const dict = readPlain(given, `the state dict of ${schema.name}`);
  const type = field(dict, 'type');
  if (type !== schema.name) refuse(`the state dict of ${schema.name}`, type);
  const nAveraged = field(dict, 'nAveraged');
  if (!Number.isSafeInteger(nAveraged) || (nAveraged as number) < 0) {
    refuse('nAveraged to be an integer >= 0', nAveraged);
  }
  const options = field(dict, 'options') ?? {};
  if (!isPlainObject(options)) return refuse('options to be an object', options);
  const averages = field(dict, 'averages');
  const parameters = field(dict, 'parameters') ?? [];
  if (!Array.isArray(averages) || !Array.isArray(parameters)) {
    return refuse('averages and parameters to be lists', averages);
  }
  return {
    nAveraged: nAveraged as number,
    options: schema.parse(options, schema.initial(), ' (state dict)', []),
    list: averages.map((array, i) => readArray(array, parameters[i] ?? {}, i)),
  };
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
