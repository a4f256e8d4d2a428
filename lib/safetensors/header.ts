/**
 * The header of a safetensors file, with every check of the format's description
 * (https://github.com/huggingface/safetensors, README, "Format"): 8 bytes of length, JSON, data.
 */

import { describe } from '../support/describe.ts';
import { DTYPES, type Dtype, isDtype, sizeOf } from './dtypes.ts';
import { findDuplicateKey } from './duplicate-keys.ts';
import { entriesOf, parseJson } from './header-entries.ts';
import { refuseFile } from './refuse.ts';
import { STEP, type Steps } from './steps.ts';

/** Bytes of the header's length. */
export const PREFIX = 8;

/** The most bytes that a header may have. */
export const LARGEST_HEADER = 100_000_000;

/** Where data begins: at a whole cache line, so that every tensor is aligned. */
const ALIGNMENT = 64;

/** A tensor as the header describes it. */
export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Where its bytes begin and end, in the data. */
  readonly begin: number;
  readonly end: number;
  /** How many elements it has. */
  readonly length: number;
}

export interface Header {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How many bytes the header has, in a file of this size. */
export function headerLength(prefix: Uint8Array, fileSize: number): number {
  if (fileSize < PREFIX) {
    refuseFile(`Expected at least ${PREFIX} bytes of a safetensors file but found ${fileSize}`);
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX);
  const length = Number(view.getBigUint64(0, true));
  if (length > LARGEST_HEADER) {
    refuseFile(
      `Expected a header of at most ${LARGEST_HEADER} bytes but it says that it has ${length}: ` +
        'is this a safetensors file?',
    );
  }
  if (length > fileSize - PREFIX) {
    refuseFile(`The file is cut off: its header has ${length} bytes, the whole file ${fileSize}`);
  }
  return length;
}

/** Describes a tensor of some hundred dimensions; what is longer describes none. */
const LONGEST_ENTRY = 4096;

/** @param dataLength How many bytes follow the header. */
export function* parseHeader(bytes: Uint8Array, dataLength: number): Steps<Header> {
  if (bytes[0] !== 0x7b) refuseFile("Expected the header to begin with '{'");
  const text = decode(bytes);
  const tensors = new Map<string, TensorInfo>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of entriesOf(text)) {
    if (name === '__metadata__') metadata = readMetadata(value);
    else tensors.set(name, readInfo(name, readEntry(name, value), dataLength));
    if (tensors.size % STEP === 0) yield;
  }
  refuseGaps(tensors, dataLength);
  return { tensors, metadata };
}

function decode(bytes: Uint8Array): string {
  try {
    // A copy: TextDecoder takes no shared memory.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch (cause) {
    return refuseFile('Expected the header to be JSON in UTF-8', cause);
  }
}

function readEntry(name: string, text: string): unknown {
  if (text.length > LONGEST_ENTRY) {
    refuseFile(
      `Expected tensor '${name}' to be described in at most ${LONGEST_ENTRY} characters ` +
        `but found ${text.length}`,
    );
  }
  const value = parseJson(text);
  const twice = findDuplicateKey(text, value);
  if (twice === undefined) return value;
  return refuseFile(`Expected each name once but the header has '${twice}' twice`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readMetadata(text: string): Readonly<Record<string, string>> {
  if (text[0] !== '{') refuseFile(`Expected __metadata__ to be an object of strings`);
  const entries = Array.from(entriesOf(text), ([key, json]) => {
    const value = parseJson(json);
    if (typeof value === 'string') return [key, value];
    return refuseFile(
      `Expected '${key}' of __metadata__ to be a string but found ${describe(value)}`,
    );
  });
  return Object.fromEntries(entries);
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

const FIELDS = ['dtype', 'shape', 'data_offsets'];

function readInfo(name: string, value: unknown, dataLength: number): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = isObject(value) ? value : {};
  const stray = Object.keys(value ?? {}).find((key) => !FIELDS.includes(key));
  if (stray !== undefined || !isObject(value)) {
    refuseFile(
      `Expected tensor '${name}' to be described by dtype, shape and data_offsets ` +
        `but found ${stray ?? describe(value)}`,
    );
  }
  if (!isDtype(dtype)) {
    return refuseFile(
      `Expected dtype of tensor '${name}' to be one of ${DTYPES.join(', ')} ` +
        `but found ${describe(dtype)}`,
    );
  }
  const length = elementsOf(name, shape);
  const [begin, end] = readOffsets(name, offsets, dataLength);
  if (end - begin !== length * sizeOf(dtype)) {
    refuseFile(
      `Expected ${length * sizeOf(dtype)} bytes of tensor '${name}', ${dtype} ` +
        `[${(shape as number[]).join(', ')}], but data_offsets give it ${end - begin}`,
    );
  }
  return { dtype, shape: Object.freeze([...(shape as number[])]), begin, end, length };
}

function readOffsets(name: string, offsets: unknown, dataLength: number): [number, number] {
  const isPair = Array.isArray(offsets) && offsets.length === 2 && offsets.every(isCount);
  const [begin, end] = isPair ? (offsets as [number, number]) : [1, 0];
  if (begin <= end && end <= dataLength) return [begin, end];
  return refuseFile(
    `Expected data_offsets of tensor '${name}' to be [begin, end] within ${dataLength} bytes ` +
      `of data but found ${describe(offsets)}`,
  );
}

/** The product of a shape. */
export function elementsOf(name: string, shape: unknown): number {
  if (Array.isArray(shape) && shape.every(isCount)) {
    const product = shape.includes(0) ? 0 : shape.reduce((all, size) => all * size, 1);
    if (Number.isSafeInteger(product * 8)) return product;
  }
  return refuseFile(
    `Expected shape of tensor '${name}' to be a list of integers >= 0 whose product can be ` +
      `counted but found ${describe(shape)}`,
  );
}

/** Every byte of the data belongs to one tensor: no overlaps, no gaps, nothing after the last. */
function refuseGaps(tensors: ReadonlyMap<string, TensorInfo>, dataLength: number): void {
  const sorted = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const [name, { begin, end }] of sorted) {
    if (begin !== at) {
      const what = begin < at ? 'to overlap with no other' : 'to begin where the one before ends';
      refuseFile(`Expected tensor '${name}' ${what}, at byte ${at}, but it begins at ${begin}`);
    }
    at = end;
  }
  if (at !== dataLength) {
    refuseFile(`Expected ${at} bytes of data, as the header says, but found ${dataLength}`);
  }
}

/** The prefix and the header as bytes, padded so that what follows is aligned. */
export function* encodeHeader({ tensors, metadata }: Header): Steps<Uint8Array<ArrayBuffer>> {
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) {
    entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
    yield;
  }
  for (const [name, { dtype, shape, begin, end }] of tensors) {
    const place = `"dtype":"${dtype}","shape":[${shape.join()}],"data_offsets":[${begin},${end}]`;
    entries.push(`${JSON.stringify(name)}:{${place}}`);
    if (entries.length % STEP === 0) yield;
  }
  const json = new TextEncoder().encode(`{${entries.join()}}`);
  const total = Math.ceil((PREFIX + json.length) / ALIGNMENT) * ALIGNMENT;
  if (total - PREFIX > LARGEST_HEADER) {
    refuseFile(`Expected names, shapes and metadata of at most ${LARGEST_HEADER} bytes together`);
  }
  const bytes = new Uint8Array(total).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(total - PREFIX), true);
  bytes.set(json, PREFIX);
  return bytes;
}
