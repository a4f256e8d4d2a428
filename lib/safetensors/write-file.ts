/** Writes safetensors files, tensor by tensor and chunk by chunk: nothing is copied whole. */

import type { FileHandle } from 'node:fs/promises';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { writeAtomically } from './atomic-write.ts';
import type { SerializeOptions } from './bytes.ts';
import { encodeHeader } from './header.ts';
import { type Layout, layOut, type TensorInputs } from './layout.ts';
import { checkPath } from './node.ts';
import { inTurns } from './steps.ts';

/** Bytes that are written at a time: the event loop turns between two. */
export const CHUNK = 1024 ** 2;

/** Arrays up to this size are written together. */
const SMALL = 256 * 1024;

/** How far it has got, in bytes. */
export interface Progress {
  readonly written: number;
  readonly total: number;
}

/** Options of `writeFile`. */
export interface WriteFileOptions extends SerializeOptions {
  /** Called after every megabyte or so. What it throws ends the write. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the write when it is aborted; no file is left then. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a safetensors file: whole, synced and under its name, or not at all. Arrays are read while
 * they are written, off the event loop; copy them first if they go on changing.
 *
 * @throws {GradstepError} By rejecting: `ERR_SAFETENSORS` for what such a file cannot hold,
 * `ERR_FILE` (disk full, no permission, no such folder), `ERR_INVALID_ARGUMENT`; the signal's reason.
 */
export async function writeFile(
  path: string,
  tensors: TensorInputs,
  options: WriteFileOptions = {},
): Promise<void> {
  checkPath(path);
  const { metadata, onProgress, signal } = readOptions(options);
  const layout = layOut(tensors, metadata);
  signal?.throwIfAborted();
  await writeAtomically(path, (file) =>
    writeLayout(file, layout, (progress) => {
      signal?.throwIfAborted();
      onProgress?.(progress);
    }),
  );
}

/** Reads every property once. */
function readOptions(options: WriteFileOptions): WriteFileOptions {
  const { metadata, onProgress, signal, ...others } = { ...options };
  const refuse = (expected: string, value: unknown): never => {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected ${expected} but received ${describe(value)}`,
    );
  };
  const stray = Object.keys(others)[0];
  if (stray !== undefined) refuse('options metadata, onProgress or signal', stray);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    refuse('onProgress to be a function', onProgress);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    refuse('signal to be an AbortSignal', signal);
  }
  return {
    ...(metadata !== undefined && { metadata }),
    ...(onProgress !== undefined && { onProgress }),
    ...(signal !== undefined && { signal }),
  };
}

/** What is written at once: a part of one array, or several small ones copied together. */
function* chunks(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  const together = new Uint8Array(SMALL);
  let filled = 0;
  for (const part of parts) {
    if (part.length > SMALL - filled) {
      if (filled > 0) yield together.subarray(0, filled);
      filled = 0;
    }
    if (part.length <= SMALL) {
      together.set(part, filled);
      filled += part.length;
      continue;
    }
    for (let from = 0; from < part.length; from += CHUNK) yield part.subarray(from, from + CHUNK);
  }
  if (filled > 0) yield together.subarray(0, filled);
}

/**
 * Writes everything into an open file.
 * @param onChunk Is given every chunk of bytes, header included, while it is being written.
 */
export async function writeLayout(
  file: FileHandle,
  { header, parts }: Layout,
  onProgress: (progress: Progress) => void,
  onChunk: (chunk: Uint8Array) => void = () => {},
): Promise<void> {
  const head = await inTurns(encodeHeader(header));
  const total = parts.reduce((sum, part) => sum + part.length, head.length);
  let written = 0;
  const write = async (chunk: Uint8Array) => {
    const done = writeWhole(file, chunk, written);
    onChunk(chunk); // on this thread, while the other one writes
    await done;
    written += chunk.length;
    onProgress({ written, total });
  };
  await write(head);
  for (const chunk of chunks(parts)) await write(chunk);
}

/** A write may end early, and says how far it came. */
export async function writeWhole(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
