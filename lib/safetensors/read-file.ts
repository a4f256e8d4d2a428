/** Reads safetensors files: tensor by tensor, straight into the arrays that are asked for. */

import type { FileHandle } from 'node:fs/promises';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { explainFile } from './atomic-write.ts';
import { isHalf, type ReadOptions, readHalves, type Tensor, type Tensors } from './bytes.ts';
import { allocate, type TensorArray, viewAs } from './dtypes.ts';
import { widen } from './half.ts';
import { type Header, headerLength, PREFIX, parseHeader, type TensorInfo } from './header.ts';
import { checkPath, nodeModule } from './node.ts';
import { refuseFile } from './refuse.ts';
import { inTurns } from './steps.ts';
import { CHUNK } from './write-file.ts';

/** `Symbol.asyncDispose`, or a stand-in where the engine lacks it. */
const asyncDisposeSymbol: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol('Symbol.asyncDispose');

/** Options of reading one tensor. */
export interface ReadTensorOptions extends ReadOptions {
  /** Where to put the elements: an array of the tensor's length, on any memory. */
  readonly into?: TensorArray;
}

/** An open file: its header has been read and checked, its tensors are read when asked for. */
export class SafetensorsFile {
  /** The tensors by name, without their elements. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The strings that the file carries. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #begin: number;

  /** @internal */
  constructor(file: FileHandle, path: string, header: Header, begin: number, size: number) {
    this.#file = file;
    this.#path = path;
    this.#begin = begin;
    this.size = size;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
  }

  /**
   * One tensor.
   *
   * @throws {GradstepError} By rejecting: `ERR_SAFETENSORS` when there is no such tensor, when it
   * does not fit `into`, or when the file has changed; `ERR_FILE`.
   */
  async read(name: string, options: ReadTensorOptions = {}): Promise<Tensor> {
    const info = this.tensors.get(name);
    if (info === undefined) {
      return refuseFile(`${this.#path} has no tensor ${describe(name)}`);
    }
    const asFloats = readHalves(options) && isHalf(info.dtype);
    const { dtype, shape } = info;
    if (asFloats) return { dtype: 'F32', shape, data: await this.#readHalves(info, options.into) };
    const data = options.into ?? allocate(dtype, info.length);
    const bytes = bytesFor(data, info, name);
    await readWhole(this.#file, bytes, this.#begin + info.begin, this.#path);
    return { dtype, shape, data };
  }

  /** Converted chunk by chunk. */
  async #readHalves(info: TensorInfo, into: unknown): Promise<Float32Array> {
    const data = (into ?? allocate('F32', info.length)) as Float32Array;
    if (!(data instanceof Float32Array) || data.length !== info.length) {
      refuseFile(
        `Expected into to be a Float32Array(${info.length}) but received ${describe(data)}`,
      );
    }
    const chunk = new Uint16Array(Math.min(CHUNK / 2, info.length));
    for (let at = 0; at < info.length; at += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, info.length - at));
      const from = this.#begin + info.begin + 2 * at;
      await readWhole(
        this.#file,
        new Uint8Array(part.buffer, 0, part.byteLength),
        from,
        this.#path,
      );
      widen(part, info.dtype as 'F16' | 'BF16', data, at);
    }
    return data;
  }

  /** Closes the file; again is fine. */
  async close(): Promise<void> {
    await this.#file.close();
  }

  /** `await using file = await openFile(path)` closes it. */
  async [asyncDisposeSymbol](): Promise<void> {
    await this.close();
  }
}

/** The error with the file's name in it. */
export function named(error: unknown, path: string): unknown {
  if (!(error instanceof GradstepError) || error.message.includes(path)) {
    return explainFile(error, path, 'read');
  }
  return new GradstepError(error.code, `${path}: ${error.message}`, { cause: error.cause });
}

function bytesFor(data: TensorArray, info: TensorInfo, name: string): Uint8Array {
  const like = viewAs(info.dtype, new ArrayBuffer(0), 0, 0);
  const fits =
    ArrayBuffer.isView(data) &&
    Object.prototype.toString.call(data) === Object.prototype.toString.call(like) &&
    data.length === info.length;
  if (fits) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return refuseFile(
    `Expected into for tensor '${name}' to be a ${like.constructor.name}(${info.length}) ` +
      `but received ${describe(data)}`,
  );
}

/** Reads until the array is full. */
export async function readWhole(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(CHUNK, bytes.length - at);
    const { bytesRead } = await file.read(bytes, at, length, position + at).catch((error) => {
      throw explainFile(error, path, 'read');
    });
    if (bytesRead === 0) refuseFile(`${path} was cut off while it was read`);
    at += bytesRead;
  }
}

/**
 * Opens a safetensors file and reads its header, which is checked whole.
 *
 * ```ts
 * const file = await openFile('model.safetensors');
 * const { data, shape } = await file.read('weight');
 * await file.close();
 * ```
 *
 * @throws {GradstepError} By rejecting: `ERR_SAFETENSORS`, `ERR_FILE`.
 */
export async function openFile(path: string): Promise<SafetensorsFile> {
  checkPath(path);
  const { open } = nodeModule('node:fs/promises');
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { size } = await file.stat();
    const prefix = new Uint8Array(PREFIX);
    if (size >= PREFIX) await readWhole(file, prefix, 0, path);
    const bytes = new Uint8Array(headerLength(prefix, size));
    await readWhole(file, bytes, PREFIX, path);
    const begin = PREFIX + bytes.length;
    const header = await inTurns(parseHeader(bytes, size - begin));
    return new SafetensorsFile(file, path, header, begin, size);
  } catch (error) {
    await file?.close().catch(() => {});
    throw named(error, path);
  }
}

/**
 * Reads a whole safetensors file.
 *
 * @throws {GradstepError} By rejecting: `ERR_SAFETENSORS`, `ERR_FILE`.
 */
export async function readFile(path: string, options: ReadOptions = {}): Promise<Tensors> {
  const file = await openFile(path);
  try {
    const tensors: [string, Tensor][] = [];
    for (const name of file.tensors.keys()) tensors.push([name, await file.read(name, options)]);
    return { tensors: Object.fromEntries(tensors), metadata: file.metadata };
  } finally {
    await file.close();
  }
}
