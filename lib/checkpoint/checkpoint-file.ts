/**
 * One checkpoint as a safetensors file: arrays are its tensors, everything else lies as JSON in the
 * metadata, and so does the checksum of the whole (scan.ts).
 */

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { explainFile, writeAtomically } from '../safetensors/atomic-write.ts';
import { allocate } from '../safetensors/dtypes.ts';
import { layOut } from '../safetensors/layout.ts';
import { turn } from '../safetensors/steps.ts';
import { type Progress, writeLayout, writeWhole } from '../safetensors/write-file.ts';
import { GradstepError } from '../support/errors.ts';
import { CHECKSUM, CONTENT, type Head, NO_CHECKSUM, placeOf, readData, readHead } from './scan.ts';
import { type Arrays, putTogether, type ShapedArray, takeApart } from './tree.ts';

/** Of this layout; a later one is refused, not misread. */
const VERSION = 1;

/** What a file says, whatever it is about. */
export interface Content {
  readonly version: number;
  readonly [key: string]: unknown;
}

/** @throws {GradstepError} `ERR_CHECKPOINT`. */
export function refuseCheckpoint(sentence: string, cause?: unknown): never {
  throw new GradstepError('ERR_CHECKPOINT', sentence, cause === undefined ? {} : { cause });
}

/**
 * A value ready to be written: nothing of it is read again.
 */
export function toTensors(value: Readonly<Record<string, unknown>>) {
  const arrays: Arrays = new Map();
  const content: Record<string, unknown> = { version: VERSION };
  for (const [key, part] of Object.entries(value)) {
    if (part !== undefined) content[key] = takeApart(part, arrays, key);
  }
  // The checksum first: then its place is in the first bytes that are written.
  const metadata = { [CHECKSUM]: NO_CHECKSUM, [CONTENT]: JSON.stringify(content) };
  return layOut(arrays, metadata);
}

/** Writes, syncs and names it; returns its size in bytes. */
export async function writeCheckpoint(
  path: string,
  layout: ReturnType<typeof toTensors>,
  onProgress: (progress: Progress) => void,
): Promise<number> {
  let size = 0;
  await writeAtomically(path, async (file) => {
    const hash = createHash('sha256');
    let place = -1;
    const watch = (chunk: Uint8Array) => {
      hash.update(chunk);
      if (size === 0) place = placeOf(chunk, NO_CHECKSUM);
      size += chunk.length;
    };
    await writeLayout(file, layout, onProgress, watch);
    await writeWhole(file, new TextEncoder().encode(hash.digest('hex')), place);
  });
  return size;
}

/** A checkpoint that was read whole, and whose checksum is right. */
export interface ReadCheckpoint {
  readonly content: Content;
  readonly size: number;
}

/**
 * Reads and verifies it.
 * @throws {GradstepError} By rejecting: `ERR_CHECKPOINT` when it is damaged or none, `ERR_FILE`,
 * `ERR_CHECKPOINT_VERSION`, `ERR_OUT_OF_MEMORY`.
 */
export async function readCheckpoint(path: string): Promise<ReadCheckpoint> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { size } = await file.stat();
    return { content: await readContent(file, size, path), size };
  } catch (error) {
    if (isDamage(error)) {
      refuseCheckpoint(`${path} is damaged or no checkpoint: ${error.message}`, error);
    }
    throw explainFile(error, path, 'read');
  } finally {
    await file?.close().catch(() => {});
  }
}

/** Whether it is the file's own fault, and no other's: lack of memory or permission passes. */
function isDamage(error: unknown): error is Error {
  if (error instanceof GradstepError) return error.code === 'ERR_SAFETENSORS';
  return (error as NodeJS.ErrnoException).code === 'EIO';
}

async function readContent(file: FileHandle, size: number, path: string): Promise<Content> {
  const head = await readHead(file, size, path);
  const json = contentOf(head);
  if (json === undefined) {
    refuseCheckpoint(`${path} is a safetensors file but no checkpoint of gradstep`);
  }
  const arrays = new Map<string, ShapedArray>();
  for (const [name, { dtype, length, shape }] of head.header.tensors) {
    if (length === 0) arrays.set(name, { data: allocate(dtype, 0), shape });
  }
  const isRight = await readData(file, head, path, {
    room({ name, info: { dtype, length, shape }, at, length: size }) {
      if (at === 0) arrays.set(name, { data: allocate(dtype, length), shape });
      return new Uint8Array(arrays.get(name)!.data.buffer, at, size);
    },
  });
  if (!isRight) refuseCheckpoint(`${path} is damaged: its checksum is not that of its contents`);
  await turn();
  return parseContent(json!, (name) => arrays.get(name), path);
}

/** The JSON of a checkpoint; undefined for other safetensors files. */
export function contentOf({ bytes, header }: Head): string | undefined {
  const { [CONTENT]: json, [CHECKSUM]: checksum = '' } = header.metadata;
  const isSealed = checksum.length === NO_CHECKSUM.length && placeOf(bytes, checksum) >= 0;
  return isSealed ? json : undefined;
}

/** @throws {GradstepError} By rejecting: `ERR_CHECKPOINT`, `ERR_CHECKPOINT_VERSION`. */
export async function parseContent(
  json: string,
  arrayOf: (name: string) => ShapedArray | undefined,
  path: string,
): Promise<Content> {
  try {
    const content = JSON.parse(json) as Content;
    const { version } = content;
    if (version !== VERSION) {
      throw new GradstepError(
        'ERR_CHECKPOINT_VERSION',
        `${path} is intact but of version ${version} of the layout, and this gradstep reads ` +
          `version ${VERSION}: was it saved by a later one?`,
      );
    }
    await turn();
    return putTogether(content, arrayOf) as Content;
  } catch (cause) {
    if (cause instanceof GradstepError) throw cause;
    return refuseCheckpoint(`${path} is damaged: its contents are no JSON of gradstep`, cause);
  }
}
