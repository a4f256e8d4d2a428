/** Writes tensors for `numpy.load`: a zip of arrays in NumPy's own format, as `numpy.savez` does. */

import type { FileHandle } from 'node:fs/promises';
import { GradstepError } from '../support/errors.ts';
import { writeAtomically } from './atomic-write.ts';
import { type Layout, layOut, type TensorInputs } from './layout.ts';
import { checkPath } from './node.ts';
import { npyHead } from './npy.ts';
import { refuseFile } from './refuse.ts';
import { CHUNK, writeWhole } from './write-file.ts';

type Zipper = Pick<typeof import('fflate'), 'Zip' | 'ZipPassThrough'>;

/** What the size of a zip is counted in: 32 bits, as fflate writes it. */
const LARGEST_ZIP = 2 ** 32 - 1;
const MOST_ENTRIES = 2 ** 16 - 1;
/** Heads and ends of an entry, its name twice not counted; generous. */
const ENTRY = 512;

/**
 * Writes an `.npz` file: whole, synced and under its name, or not at all. `numpy.load(path)` gives
 * the arrays by their names, with their shapes. Needs the package `fflate`, which is installed by
 * whoever wants this. Arrays are not compressed, and are read while they are written.
 *
 * ```ts
 * await saveNpz('weights.npz', modelStateDict(model));
 * ```
 *
 * @throws {GradstepError} By rejecting: `ERR_MISSING_PACKAGE` without fflate, `ERR_SAFETENSORS` for
 * what such a file cannot hold (BF16 and F8, which NumPy lacks; 4 GiB or more), `ERR_FILE`,
 * `ERR_INVALID_ARGUMENT`.
 */
export async function saveNpz(path: string, tensors: TensorInputs): Promise<void> {
  checkPath(path);
  const entries = toEntries(layOut(tensors));
  const zipper = await loadFflate();
  await writeAtomically(path, (file) => writeZip(file, entries, zipper));
}

/** Its types and its name apart: bundlers for browsers then look for nothing. */
async function loadFflate(): Promise<Zipper> {
  const name = 'fflate';
  try {
    return (await import(name)) as Zipper;
  } catch (cause) {
    throw new GradstepError(
      'ERR_MISSING_PACKAGE',
      'saveNpz needs the package fflate, which writes the zip: npm install fflate',
      { cause },
    );
  }
}

interface Entry {
  readonly name: string;
  readonly parts: readonly Uint8Array[];
}

function toEntries({ header, parts }: Layout): readonly Entry[] {
  const entries = Array.from(header.tensors, ([name, { dtype, shape }], k) => {
    return { name: `${name}.npy`, parts: [npyHead(name, dtype, shape), parts[k]!] };
  });
  const size = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
  if (entries.length > MOST_ENTRIES || size > LARGEST_ZIP) {
    refuseFile(
      `Expected at most ${MOST_ENTRIES} tensors of less than 4 GiB together, as in a zip, but ` +
        `received ${entries.length} of ${size} bytes: write a safetensors file`,
    );
  }
  return entries;
}

function sizeOf({ name, parts }: Entry): number {
  const letters = new TextEncoder().encode(name).length;
  if (letters > 2 ** 16 - 1) refuseFile(`Expected the name '${name.slice(0, 40)}…' to be shorter`);
  return parts.reduce((sum, part) => sum + part.length, ENTRY + 2 * letters);
}

/** Chunk by chunk: the event loop turns between two. */
async function writeZip(
  file: FileHandle,
  entries: readonly Entry[],
  { Zip, ZipPassThrough }: Zipper,
): Promise<void> {
  const ready: Uint8Array[] = [];
  let written = 0;
  const zip = new Zip((error, bytes) => {
    if (error) throw error;
    ready.push(bytes);
  });
  const flush = async () => {
    for (const bytes of ready.splice(0)) {
      await writeWhole(file, bytes, written);
      written += bytes.length;
    }
  };
  for (const { name, parts } of entries) {
    const entry = new ZipPassThrough(name);
    entry.mtime = new Date(1980, 0, 1); // the same tensors are the same bytes
    zip.add(entry);
    for (const part of parts) {
      for (let at = 0; at < part.length; at += CHUNK) {
        entry.push(part.subarray(at, at + CHUNK));
        await flush();
      }
    }
    entry.push(new Uint8Array(0), true);
    await flush();
  }
  zip.end();
  await flush();
}
