/** The data types of the safetensors format, and the typed arrays that hold them. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { refuseFile } from './refuse.ts';

/** Any typed array that a tensor can lie in. */
export type TensorArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** The data types that files may hold here. Those without a typed array of their own lie as bits. */
export type Dtype =
  | 'F64'
  | 'I64'
  | 'U64'
  | 'F32'
  | 'I32'
  | 'U32'
  | 'F16'
  | 'BF16'
  | 'I16'
  | 'U16'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'I8'
  | 'U8'
  | 'BOOL';

type ArrayClass = new (
  buffer: ArrayBufferLike,
  byteOffset?: number,
  length?: number,
) => TensorArray & { readonly BYTES_PER_ELEMENT: number };

/** In the order in which writers lay tensors out: the widest first, so that all are aligned. */
const ARRAYS: Readonly<Record<Dtype, ArrayClass>> = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as Readonly<Record<Dtype, ArrayClass>>;

/** What an array is taken for when nothing else is said. */
const DEFAULTS: Readonly<Record<string, Dtype>> = {
  Float64Array: 'F64',
  BigInt64Array: 'I64',
  BigUint64Array: 'U64',
  Float32Array: 'F32',
  Int32Array: 'I32',
  Uint32Array: 'U32',
  Int16Array: 'I16',
  Uint16Array: 'U16',
  Int8Array: 'I8',
  Uint8Array: 'U8',
};

export const DTYPES: readonly Dtype[] = Object.keys(ARRAYS) as Dtype[];

/** Bytes of one element. */
export function sizeOf(dtype: Dtype): number {
  return (ARRAYS[dtype] as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
}

export function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value);
}

const tag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Float32Array.prototype),
  Symbol.toStringTag,
)!.get!;

/** The data type of an array; `asked` says which of those that it can hold. */
export function dtypeOf(array: unknown, asked: unknown, name: string): Dtype {
  const kind = ArrayBuffer.isView(array) ? (tag.call(array) as string | undefined) : undefined;
  const dtype = asked ?? DEFAULTS[kind ?? ''];
  if (dtype === undefined) {
    return refuseFile(
      `Expected data of tensor '${name}' to be a typed array but received ${describe(array)}`,
    );
  }
  if (!isDtype(dtype) || ARRAYS[dtype].name !== kind) {
    return refuseFile(
      `Expected dtype of tensor '${name}' to be one that a ${kind} can hold ` +
        `but received ${describe(dtype)}`,
    );
  }
  return dtype;
}

/** A view of this type; the offset is a multiple of the element's size. */
export function viewAs(
  dtype: Dtype,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): TensorArray {
  return new ARRAYS[dtype](buffer, byteOffset, length);
}

/** A new array of zeros. */
export function allocate(dtype: Dtype, length: number): TensorArray {
  try {
    return viewAs(dtype, new ArrayBuffer(length * sizeOf(dtype)), 0, length);
  } catch (cause) {
    throw new GradstepError(
      'ERR_OUT_OF_MEMORY',
      `Could not allocate an array for ${length} elements of ${dtype}`,
      { cause },
    );
  }
}
