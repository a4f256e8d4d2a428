/** Safetensors in memory: for browsers, fetch, workers. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { allocate, type Dtype, type TensorArray } from './dtypes.ts';
import { widen } from './half.ts';
import { encodeHeader, headerLength, PREFIX, parseHeader, type TensorInfo } from './header.ts';
import { bytesOf, layOut, type TensorInputs } from './layout.ts';
import { refuseFile } from './refuse.ts';
import { atOnce } from './steps.ts';

/** A tensor that was read. */
export interface Tensor<A extends TensorArray = TensorArray> {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: A;
}

/** Everything that a file holds. */
export interface Tensors<A extends TensorArray = TensorArray> {
  readonly tensors: Readonly<Record<string, Tensor<A>>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Options of writing. */
export interface SerializeOptions {
  /** Strings that the file carries beside its tensors. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Options of reading. */
export interface ReadOptions {
  /** 'float32' gives F16 and BF16 as float32, exactly. Default: as their bits, in a Uint16Array. */
  readonly halves?: 'float32' | 'bits';
}

/**
 * Tensors as the bytes of a safetensors file.
 *
 * ```ts
 * const bytes = serialize({ weight: { data: new Float32Array(6), shape: [2, 3] } });
 * ```
 *
 * @throws {GradstepError} `ERR_SAFETENSORS` for what such a file cannot hold.
 */
export function serialize(
  tensors: TensorInputs,
  options: SerializeOptions = {},
): Uint8Array<ArrayBuffer> {
  const { header, parts } = layOut(tensors, options.metadata);
  const head = atOnce(encodeHeader(header));
  const size = parts.reduce((sum, part) => sum + part.length, head.length);
  const bytes = new Uint8Array(size);
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * The tensors in the bytes of a safetensors file; each has memory of its own.
 *
 * @throws {GradstepError} `ERR_SAFETENSORS` for what is no such file, or a damaged one.
 */
export function deserialize(
  bytes: Uint8Array | ArrayBufferLike,
  options: ReadOptions = {},
): Tensors {
  const isArray = ArrayBuffer.isView(bytes) && !(bytes instanceof DataView);
  const all = isArray ? bytesOf(bytes, 'the bytes') : toBytes(bytes);
  const asFloats = readHalves(options);
  const begin = PREFIX + headerLength(all, all.length);
  const header = atOnce(parseHeader(all.subarray(PREFIX, begin), all.length - begin));
  const tensors = Array.from(header.tensors, ([name, info]) => {
    const part = all.subarray(begin + info.begin, begin + info.end);
    const raw = allocate(info.dtype, info.length);
    new Uint8Array(raw.buffer).set(part);
    return [name, toTensor(info, raw, asFloats)] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata: header.metadata };
}

function toBytes(buffer: unknown): Uint8Array {
  const isBuffer =
    buffer instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer);
  try {
    if (isBuffer) return new Uint8Array(buffer);
  } catch (cause) {
    throw new GradstepError('ERR_DETACHED', 'The buffer was transferred away', { cause });
  }
  return refuseFile(`Expected bytes but received ${describe(buffer)}`);
}

/** Whether halves are wanted as float32. */
export function readHalves({ halves = 'bits' }: ReadOptions): boolean {
  if (halves === 'bits' || halves === 'float32') return halves === 'float32';
  return refuseFile(`Expected halves to be 'bits' or 'float32' but received ${describe(halves)}`);
}

export const isHalf = (dtype: Dtype): dtype is 'F16' | 'BF16' =>
  dtype === 'F16' || dtype === 'BF16';

/** A tensor as it is given to the user. */
export function toTensor(info: TensorInfo, raw: TensorArray, asFloats: boolean): Tensor {
  const { dtype, shape, length } = info;
  if (!asFloats || !isHalf(dtype)) return { dtype, shape, data: raw };
  const data = allocate('F32', length) as Float32Array;
  widen(raw as Uint16Array, dtype, data, 0);
  return { dtype: 'F32', shape, data };
}
