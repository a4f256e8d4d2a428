/**
 * One pass over a file: its header, then every byte of its tensors, in the order in which they lie.
 * Reading a checkpoint and looking into one differ only in where the bytes go.
 */

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import {
  type Header,
  headerLength,
  PREFIX,
  parseHeader,
  type TensorInfo,
} from '../safetensors/header.ts';
import { readWhole } from '../safetensors/read-file.ts';
import { CHUNK } from '../safetensors/write-file.ts';

/** In the metadata of a checkpoint: everything that is no tensor, as JSON. */
export const CONTENT = 'gradstep.checkpoint';
/** The SHA-256 of all bytes of the file, taken with its own 64 digits as zeros. */
export const CHECKSUM = 'gradstep.checksum';
export const NO_CHECKSUM = '0'.repeat(64);

/** What stands before the data. */
export interface Head {
  /** Prefix and header, as they lie in the file. */
  readonly bytes: Uint8Array;
  readonly header: Header;
}

/** @throws {GradstepError} By rejecting: `ERR_SAFETENSORS`, `ERR_FILE`. */
export async function readHead(file: FileHandle, size: number, path: string): Promise<Head> {
  const prefix = new Uint8Array(PREFIX);
  if (size >= PREFIX) await readWhole(file, prefix, 0, path);
  const bytes = new Uint8Array(PREFIX + headerLength(prefix, size));
  await readWhole(file, bytes, 0, path);
  return { bytes, header: parseHeader(bytes.subarray(PREFIX), size - bytes.length) };
}

/** Where the digits of the checksum are: the only ones with their key before them; else -1. */
export function placeOf(head: Uint8Array, digits: string): number {
  const before = `"${CHECKSUM}":"`;
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const at = bytes.indexOf(`${before}${digits}"`);
  return at < 0 ? at : at + before.length;
}

/** Where the bytes of tensors go. */
export interface Sink {
  /** Memory for bytes of a tensor from `at` on: at most `length` of them, at least one. */
  room(name: string, info: TensorInfo, at: number, length: number): Uint8Array;
  /** They are read. */
  seen?(name: string, info: TensorInfo, bytes: Uint8Array): void;
}

/**
 * Reads all data, and tells whether the checksum of a checkpoint is right.
 * @throws {GradstepError} By rejecting: `ERR_SAFETENSORS` for a file that ends early, `ERR_FILE`.
 */
export async function readData(
  file: FileHandle,
  { bytes: head, header }: Head,
  path: string,
  sink: Sink,
): Promise<boolean> {
  const { [CHECKSUM]: checksum = '' } = header.metadata;
  const hash = createHash('sha256');
  const zeroed = head.slice();
  const place = placeOf(head, checksum);
  if (checksum.length === NO_CHECKSUM.length && place >= 0) zeroed.fill(0x30, place, place + 64);
  hash.update(zeroed);
  const inOrder = [...header.tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (const [name, info] of inOrder) {
    const size = info.end - info.begin;
    for (let at = 0; at < size; ) {
      const chunk = sink.room(name, info, at, Math.min(CHUNK, size - at));
      await readWhole(file, chunk, head.length + info.begin + at, path);
      hash.update(chunk);
      sink.seen?.(name, info, chunk);
      at += chunk.length;
    }
  }
  return hash.digest('hex') === checksum;
}
