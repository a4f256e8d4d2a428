/**
 * Nested plain data with typed arrays in it, taken apart: the arrays by their path, as tensors of a
 * file, and the rest as JSON. What JSON cannot say is said by objects with one key that begins with
 * '$'; objects of users that have such keys are written as lists of entries.
 */

import type { TensorArray } from '../safetensors/dtypes.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Deeper than any state dict. */
const DEEPEST = 200;

const KINDS: readonly string[] = [
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Int32Array',
  'Uint32Array',
  'Int16Array',
  'Uint16Array',
  'Int8Array',
  'Uint8Array',
];

/** Numbers that JSON turns into null or into 0. */
const ODD_NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
};

function refuse(sentence: string): never {
  throw new GradstepError('ERR_CHECKPOINT', sentence);
}

/** An array, and its shape if it has one. */
export interface ShapedArray {
  readonly data: TensorArray;
  readonly shape?: readonly number[];
}

/** Arrays by path, as they are met. */
export type Arrays = Map<string, ShapedArray>;

/**
 * @param arrays Is given every array.
 * @param path What it is called, in names of arrays and in errors.
 */
export function takeApart(value: unknown, arrays: Arrays, path: string, depth = 0): Json {
  if (depth > DEEPEST) refuse(`${path} is nested too deeply, or contains itself`);
  if (typeof value === 'number') return numberToJson(value);
  if (typeof value === 'bigint') return { $bigint: String(value) };
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'object') {
    return refuse(`Expected plain data at ${path} but received ${describe(value)}`);
  }
  if (ArrayBuffer.isView(value)) return { $tensor: nameOf({ data: value }, arrays, path) };
  if (isShaped(value)) return { $shaped: nameOf(value, arrays, path) };
  if (Array.isArray(value)) {
    return Array.from(value, (item, i) => takeApart(item, arrays, `${path}.${i}`, depth + 1));
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    refuse(`Expected plain data at ${path} but received ${describe(value)}`);
  }
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]): [string, Json] => {
      return [key, takeApart(item, arrays, `${path}.${key}`, depth + 1)];
    });
  const isPlain = entries.every(([key]) => !key.startsWith('$'));
  return isPlain ? Object.fromEntries(entries) : { $entries: entries };
}

function numberToJson(value: number): Json {
  const isOdd = !Number.isFinite(value) || Object.is(value, -0);
  return isOdd ? { $number: Object.is(value, -0) ? '-0' : String(value) } : value;
}

/** Values with their shape, as those of a model: one tensor. */
function isShaped(value: object): value is { data: ArrayBufferView; shape: number[] } {
  const { data, shape, ...others } = value as Record<string, unknown>;
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape)) return false;
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return false;
  const length = shape.reduce((product, size) => product * size, 1);
  return Object.keys(others).length === 0 && length === (data as Float32Array).length;
}

interface Given {
  readonly data: ArrayBufferView;
  readonly shape?: readonly number[];
}

function nameOf({ data, shape }: Given, arrays: Arrays, path: string): string {
  const kind = Object.prototype.toString.call(data).slice(8, -1);
  if (!KINDS.includes(kind)) refuse(`Expected plain data at ${path} but received a ${kind}`);
  let name = path;
  for (let n = 2; arrays.has(name); n++) name = `${path}#${n}`; // 'a.b' and 'a' with 'b' in it
  const array = data as TensorArray;
  arrays.set(name, shape === undefined ? { data: array } : { data: array, shape: [...shape] });
  return name;
}

/** The value again. @param arrayOf Gives the array of a name. */
export function putTogether(
  json: unknown,
  arrayOf: (name: string) => ShapedArray | undefined,
  depth = 0,
): unknown {
  if (depth > DEEPEST) refuse('The data of the checkpoint is nested too deeply');
  if (typeof json !== 'object' || json === null) return json;
  const again = (value: unknown) => putTogether(value, arrayOf, depth + 1);
  if (Array.isArray(json)) return json.map(again);
  const entries = Object.entries(json);
  const [[key, value] = ['', undefined]] = entries;
  if (entries.length !== 1 || !key.startsWith('$')) {
    return Object.fromEntries(entries.map(([name, item]) => [name, again(item)]));
  }
  switch (key) {
    case '$tensor':
    case '$shaped': {
      const array = arrayOf(String(value));
      if (array === undefined) refuse(`The checkpoint has no tensor ${describe(value)}`);
      return key === '$tensor' ? array!.data : { data: array!.data, shape: array!.shape };
    }
    case '$number':
      return ODD_NUMBERS[String(value)] ?? refuse(`No number: ${describe(value)}`);
    case '$bigint':
      return BigInt(String(value));
    case '$entries':
      return Object.fromEntries(
        (value as [string, unknown][]).map(([name, item]) => [name, again(item)]),
      );
    default:
      return refuse(
        `The checkpoint has data of an unknown kind, ${key}: is it of a later version?`,
      );
  }
}

/**
 * The same data with copies of its arrays, which their owner goes on writing.
 * @param what What errors call it.
 */
export function withCopies(value: unknown, what: string, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) refuse(`${what} is nested too deeply, or contains itself`);
  const again = (item: unknown) => withCopies(item, what, depth + 1);
  if (Array.isArray(value)) return Array.from(value, again);
  if (ArrayBuffer.isView(value)) return copyOf(value, what);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, again(item)]));
}

function copyOf(array: ArrayBufferView, what: string): unknown {
  const kind = Object.prototype.toString.call(array).slice(8, -1);
  if (!KINDS.includes(kind)) return array; // refused when it is written
  try {
    return new (globalThis as never as Record<string, new (from: unknown) => object>)[kind]!(array);
  } catch (cause) {
    const isMemory = cause instanceof RangeError;
    const sentence = isMemory
      ? `No memory for a copy of an array`
      : 'An array was transferred away';
    throw new GradstepError(
      isMemory ? 'ERR_OUT_OF_MEMORY' : 'ERR_DETACHED',
      `${sentence} (${what})`,
      {
        cause,
      },
    );
  }
}
