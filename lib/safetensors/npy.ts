/**
 * The head of an array in NumPy's own format: what stands before its bytes
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0).
 */

import type { Dtype } from './dtypes.ts';
import { refuseFile } from './refuse.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]; // \x93NUMPY, version 1.0
/** Magic and header together are a multiple of it: the array behind them is aligned. */
const ALIGNMENT = 64;
/** Of every version of NumPy. */
const MOST_DIMENSIONS = 32;

/** As `numpy.dtype(…).str`; all our bytes are little-endian. */
const DESCRIPTIONS: Readonly<Partial<Record<Dtype, string>>> = {
  F64: '<f8',
  F32: '<f4',
  F16: '<f2',
  I64: '<i8',
  I32: '<i4',
  I16: '<i2',
  I8: '|i1',
  U64: '<u8',
  U32: '<u4',
  U16: '<u2',
  U8: '|u1',
  BOOL: '|b1',
};

/** @throws {GradstepError} `ERR_SAFETENSORS` for what NumPy has no word for. */
export function npyHead(name: string, dtype: Dtype, shape: readonly number[]): Uint8Array {
  const description = DESCRIPTIONS[dtype];
  if (description === undefined) {
    return refuseFile(
      `Expected dtype of tensor '${name}' to be one that NumPy has but received ${dtype}: ` +
        'give its values as a Float32Array',
    );
  }
  if (shape.length > MOST_DIMENSIONS) {
    refuseFile(
      `Expected tensor '${name}' to have at most ${MOST_DIMENSIONS} dimensions, as in NumPy, ` +
        `but it has ${shape.length}`,
    );
  }
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const before = MAGIC.length + 2;
  const total = Math.ceil((before + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const head = new Uint8Array(total).fill(0x20);
  head.set(MAGIC);
  new DataView(head.buffer).setUint16(MAGIC.length, total - before, true);
  head.set(new TextEncoder().encode(text), before);
  head[total - 1] = 0x0a;
  return head;
}
