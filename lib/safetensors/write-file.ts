/** Writes safetensors files, tensor by tensor and chunk by chunk: nothing is copied whole. */

import type { FileHandle } from 'node:fs/promises';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { writeAtomically } from './atomic-write.ts';
import type { SerializeOptions } from './bytes.ts';
import { encodeHeader } from './header.ts';
import { type Layout, layOut, type TensorInputs } from './layout.ts';
import { checkPath } from './node.ts';

/** Bytes that are written at a time: the event loop turns between two. */
export const CHUNK = 4 * 1024 ** 2;

/** How far it has got, in bytes. */
export interface Progress {
  readonly written: number;
  readonly total: number;
}

/** Options of `writeFile`. */
export interface WriteFileOptions extends SerializeOptions {
  /** Called after every few megabytes. What it throws ends the write. */
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
  const all = [encodeHeader(header), ...parts];
  const total = all.reduce((sum, part) => sum + part.length, 0);
  let written = 0;
  for (const part of all) {
    for (let from = 0; from < part.length; from += CHUNK) {
      const chunk = part.subarray(from, from + CHUNK);
      const done = writeWhole(file, chunk, written);
      onChunk(chunk); // on this thread, while the other one writes
      await done;
      written += chunk.length;
      onProgress({ written, total });
    }
  }
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
