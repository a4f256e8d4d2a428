/** What is to be written, checked and given its place. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { DTYPES, type Dtype, dtypeOf, type TensorArray } from './dtypes.ts';
import { elementsOf, type Header, type TensorInfo } from './header.ts';
import { refuseFile } from './refuse.ts';

/** A tensor to be written. */
export interface TensorInput {
  /** Its elements; the array is read while it is written. */
  readonly data: TensorArray;
  /** Default: `[data.length]`. */
  readonly shape?: readonly number[];
  /** Which of the types that such an array can hold: 'BF16' of a Uint16Array. Default: its own. */
  readonly dtype?: Dtype;
}

/** Half of a surrogate pair, which UTF-8 cannot hold: other readers refuse such a file. */
const HALF_A_PAIR = /\p{Surrogate}/u;

/** Tensors by name. */
export type TensorInputs =
  | Readonly<Record<string, TensorInput>>
  | Iterable<readonly [string, TensorInput]>;

/** A header with the bytes of its tensors, in the order in which they lie in the file. */
export interface Layout {
  readonly header: Header;
  readonly parts: readonly Uint8Array[];
}

const { buffer, byteOffset, byteLength } = Object.getOwnPropertyDescriptors(
  Object.getPrototypeOf(Float32Array.prototype),
) as Record<string, PropertyDescriptor>;

/** The bytes of an array by its internal slots, whatever its owner says of them. */
export function bytesOf(array: ArrayBufferView, what: string): Uint8Array {
  const read = <T>(property: PropertyDescriptor | undefined) => property!.get!.call(array) as T;
  try {
    return new Uint8Array(
      read<ArrayBufferLike>(buffer),
      read<number>(byteOffset),
      read<number>(byteLength),
    );
  } catch (cause) {
    throw new GradstepError('ERR_DETACHED', `The buffer of ${what} was transferred away`, {
      cause,
    });
  }
}

/** Reads every property once. */
export function layOut(given: TensorInputs, metadata: unknown = {}): Layout {
  const entries = listEntries(given).map(([name, tensor]) => readTensor(name, tensor));
  const seen = new Set<string>();
  for (const { name } of entries) {
    if (seen.has(name)) refuseFile(`Expected each name once but received '${name}' twice`);
    seen.add(name);
  }
  // The widest elements first: then every tensor begins at a multiple of its element's size.
  entries.sort((a, b) => DTYPES.indexOf(a.dtype) - DTYPES.indexOf(b.dtype));
  const tensors = new Map<string, TensorInfo>();
  let begin = 0;
  for (const { name, dtype, shape, bytes, length } of entries) {
    const end = begin + bytes.length;
    tensors.set(name, { dtype, shape, begin, end, length });
    begin = end;
  }
  const header = { tensors, metadata: checkMetadata(metadata) };
  return { header, parts: entries.map(({ bytes }) => bytes) };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function listEntries(given: unknown): (readonly [unknown, unknown])[] {
  if (!isObject(given) || ArrayBuffer.isView(given)) {
    return refuseFile(`Expected tensors by name but received ${describe(given)}`);
  }
  if (typeof Reflect.get(given, Symbol.iterator) !== 'function') return Object.entries(given);
  return Array.from(given as Iterable<unknown>, (pair) => {
    if (Array.isArray(pair) && pair.length === 2) return [pair[0], pair[1]] as const;
    return refuseFile(`Expected pairs of a name and a tensor but received ${describe(pair)}`);
  });
}

function readTensor(name: unknown, tensor: unknown) {
  if (typeof name !== 'string' || name === '__metadata__' || HALF_A_PAIR.test(name)) {
    return refuseFile(
      "Expected the name of a tensor, of whole characters and not '__metadata__', " +
        `but received ${describe(name)}`,
    );
  }
  if (!isObject(tensor)) {
    return refuseFile(
      `Expected tensor '${name}' to be { data, shape } but received ${describe(tensor)}`,
    );
  }
  const { data, shape: given, dtype: asked } = tensor as Partial<TensorInput>;
  const dtype = dtypeOf(data, asked, name);
  const bytes = bytesOf(data!, `tensor '${name}'`);
  const size = bytes.length / (data as TensorArray).BYTES_PER_ELEMENT;
  const shape = given === undefined ? [size] : Array.isArray(given) ? [...given] : given;
  const length = elementsOf(name, shape);
  if (length !== size) {
    refuseFile(
      `Expected the shape of tensor '${name}' to be that of its ${size} elements ` +
        `but received [${(shape as number[]).join(', ')}]`,
    );
  }
  return { name, dtype, shape: shape as readonly number[], bytes, length };
}

function checkMetadata(metadata: unknown): Readonly<Record<string, string>> {
  if (!isObject(metadata))
    refuseFile(`Expected metadata to be an object but received ${describe(metadata)}`);
  const copy = { ...(metadata as Record<string, string>) };
  for (const [key, value] of Object.entries(copy)) {
    const isWhole = typeof value === 'string' && ![key, value].some((s) => HALF_A_PAIR.test(s));
    if (isWhole) continue;
    refuseFile(
      `Expected '${key}' of metadata to be a string of whole characters ` +
        `but received ${describe(value)}`,
    );
  }
  return copy;
}
