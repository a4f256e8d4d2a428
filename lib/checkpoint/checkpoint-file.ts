/**
 * One checkpoint as a safetensors file: arrays are its tensors, everything else lies as JSON in the
 * metadata `gradstep.checkpoint`; `gradstep.checksum` is the SHA-256 of all bytes of the file, taken
 * with its own 64 digits as zeros.
 */

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { explainFile, writeAtomically } from '../safetensors/atomic-write.ts';
import { allocate } from '../safetensors/dtypes.ts';
import { headerLength, PREFIX, parseHeader } from '../safetensors/header.ts';
import { layOut } from '../safetensors/layout.ts';
import { readWhole } from '../safetensors/read-file.ts';
import { CHUNK, type Progress, writeLayout, writeWhole } from '../safetensors/write-file.ts';
import { GradstepError } from '../support/errors.ts';
import { type Arrays, putTogether, type ShapedArray, takeApart } from './tree.ts';

const CONTENT = 'gradstep.checkpoint';
const CHECKSUM = 'gradstep.checksum';
const NO_CHECKSUM = '0'.repeat(64);

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

/** Where the digits of the checksum are: the only ones with their key before them. */
function placeOf(header: Uint8Array, digits: string): number {
  const before = `"${CHECKSUM}":"`;
  const at = Buffer.from(header.buffer, header.byteOffset, header.byteLength).indexOf(
    `${before}${digits}"`,
  );
  return at < 0 ? at : at + before.length;
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
  const prefix = new Uint8Array(PREFIX);
  if (size >= PREFIX) await readWhole(file, prefix, 0, path);
  const head = new Uint8Array(PREFIX + headerLength(prefix, size));
  await readWhole(file, head, 0, path);
  const header = parseHeader(head.subarray(PREFIX), size - head.length);
  const { [CONTENT]: json, [CHECKSUM]: checksum = '' } = header.metadata;
  const place = placeOf(head, checksum);
  if (json === undefined || checksum.length !== 64 || place < 0) {
    refuseCheckpoint(`${path} is a safetensors file but no checkpoint of gradstep`);
  }
  const hash = createHash('sha256');
  new Uint8Array(head.buffer, place, 64).fill(0x30);
  hash.update(head);
  const arrays = new Map<string, ShapedArray>();
  const inOrder = [...header.tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (const [name, info] of inOrder) {
    const array = allocate(info.dtype, info.length);
    arrays.set(name, { data: array, shape: info.shape });
    const bytes = new Uint8Array(array.buffer);
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const chunk = bytes.subarray(at, at + CHUNK);
      await readWhole(file, chunk, head.length + info.begin + at, path);
      hash.update(chunk);
    }
  }
  if (hash.digest('hex') !== checksum) {
    refuseCheckpoint(`${path} is damaged: its checksum is not that of its contents`);
  }
  return parseContent(json, arrays, path);
}

function parseContent(
  json: string,
  arrays: ReadonlyMap<string, ShapedArray>,
  path: string,
): Content {
  try {
    const { version } = JSON.parse(json) as Content;
    if (version !== VERSION) {
      throw new GradstepError(
        'ERR_CHECKPOINT_VERSION',
        `${path} is intact but of version ${version} of the layout, and this gradstep reads ` +
          `version ${VERSION}: was it saved by a later one?`,
      );
    }
    return putTogether(JSON.parse(json), (name) => arrays.get(name)) as Content;
  } catch (cause) {
    if (cause instanceof GradstepError) throw cause;
    return refuseCheckpoint(`${path} is damaged: its contents are no JSON of gradstep`, cause);
  }
}
