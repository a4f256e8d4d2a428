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
import { inTurns } from '../safetensors/steps.ts';
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
  const header = await inTurns(parseHeader(bytes.subarray(PREFIX), size - bytes.length));
  return { bytes, header };
}

/** Where the digits of the checksum are: the only ones with their key before them; else -1. */
export function placeOf(head: Uint8Array, digits: string): number {
  const before = `"${CHECKSUM}":"`;
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const at = bytes.indexOf(`${before}${digits}"`);
  return at < 0 ? at : at + before.length;
}

/** Bytes of a tensor. */
export interface Piece {
  readonly name: string;
  readonly info: TensorInfo;
  /** The first of them, in the tensor. */
  readonly at: number;
  readonly length: number;
}

/** Where the bytes of tensors go. */
export interface Sink {
  /** Memory for them. */
  room(piece: Piece): Uint8Array;
  /** They are read. */
  seen?(piece: Piece, bytes: Uint8Array): void;
}

/** Between two reads the event loop turns: not more arrays than this are made at once. */
const MOST_PIECES = 512;

/** What is read at once, in the order of the file: a part of one tensor, or several small ones. */
function* reads(tensors: Iterable<readonly [string, TensorInfo]>): Generator<readonly Piece[]> {
  let pieces: Piece[] = [];
  let room = CHUNK;
  for (const [name, info] of tensors) {
    const size = info.end - info.begin;
    for (let at = 0; at < size; ) {
      const length = Math.min(size - at, CHUNK);
      if (length > room || pieces.length === MOST_PIECES) {
        yield pieces;
        [pieces, room] = [[], CHUNK];
      }
      pieces.push({ name, info, at, length });
      room -= length;
      at += length;
    }
  }
  if (pieces.length > 0) yield pieces;
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
  let scratch: Uint8Array | undefined;
  for (const pieces of reads(inOrder(header))) {
    const [{ info, at }, last] = [pieces[0]!, pieces.at(-1)!];
    const isOne = pieces.length === 1;
    if (!isOne) scratch ??= new Uint8Array(CHUNK);
    const size = last.info.begin + last.at + last.length - info.begin - at;
    const bytes = isOne ? sink.room(pieces[0]!) : scratch!.subarray(0, size);
    await readWhole(file, bytes, head.length + info.begin + at, path);
    hash.update(bytes);
    if (isOne) sink.seen?.(pieces[0]!, bytes);
    else handOut(pieces, bytes, sink);
  }
  return hash.digest('hex') === checksum;
}

function inOrder({ tensors }: Header) {
  return [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
}

function handOut(pieces: readonly Piece[], bytes: Uint8Array, sink: Sink): void {
  let from = 0;
  for (const piece of pieces) {
    const room = sink.room(piece);
    room.set(bytes.subarray(from, from + piece.length));
    sink.seen?.(piece, room);
    from += piece.length;
  }
}
