/**
 * A state dict as it is given, read once: what comes out is our own plain data, and no code of a
 * user runs any more when it is looked at. Arrays of numbers are not copied, only views of ours.
 */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import {
  bufferOf,
  byteOffsetOf,
  type Floats,
  isFloat32Array,
  isFloat64Array,
  isGone,
  isShared,
  lengthOf,
} from '../support/typed-arrays.ts';

/** An object whose properties are plain data too. */
export type PlainObject = { readonly [key: string]: unknown };

/** Deeper than any state dict, and not so deep that reading it ends the stack. */
const DEEPEST = 200;

/** The error for a state dict that is not right. */
export function refuseDict(sentence: string): never {
  throw new GradstepError('ERR_STATE_DICT', sentence);
}

/**
 * @param what What errors call it.
 * @throws {GradstepError} `ERR_STATE_DICT`, `ERR_DETACHED`; what a user's getter throws.
 */
export function readPlain(value: unknown, what: string): PlainObject {
  const read = readValue(value, what, 0);
  if (isPlainObject(read)) return read;
  return refuseDict(`Expected ${what} to be an object but received ${describe(value)}`);
}

export function isPlainObject(value: unknown): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}

function readValue(value: unknown, path: string, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value !== 'function' && typeof value !== 'symbol') return value;
    return refuseDict(`Expected plain data at ${path} but received ${describe(value)}`);
  }
  if (ArrayBuffer.isView(value)) return readView(value, path);
  if (depth > DEEPEST) return refuseDict(`${path} is nested too deeply, or contains itself`);
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    const { length } = value;
    for (let i = 0; i < length; i++) {
      if (!(i in value)) refuseDict(`Expected plain data at ${path}[${i}] but found a hole`);
      items.push(readValue(value[i], `${path}[${i}]`, depth + 1));
    }
    return items;
  }
  const entries = Object.keys(value).map((key) => {
    return [key, readValue(Reflect.get(value, key), `${path}.${key}`, depth + 1)];
  });
  return Object.fromEntries(entries);
}

/** A view that nobody else has, whose length and prototype are what they seem. */
function readView(value: ArrayBufferView, path: string): unknown {
  if (!isFloat32Array(value) && !isFloat64Array(value)) return value;
  bufferOf(value); // moves a tiny array to where it stays
  if (isGone(value as Floats)) {
    throw new GradstepError('ERR_DETACHED', `The buffer of ${path} was transferred or shrunk away`);
  }
  const [buffer, begin, length] = [bufferOf(value), byteOffsetOf(value), lengthOf(value)];
  return isFloat32Array(value)
    ? new Float32Array(buffer, begin, length)
    : new Float64Array(buffer, begin, length);
}

/** An own property, or undefined. */
export function field(object: PlainObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Proves, without code of a user, that arrays which were read are still there. */
export function proveThere(arrays: readonly (Floats | undefined)[], what: string): void {
  for (let i = 0; i < arrays.length; i++) {
    const array = arrays[i];
    if (array === undefined || !isGone(array)) continue;
    throw new GradstepError(
      'ERR_DETACHED',
      `The buffer of an array in ${what} was transferred or shrunk away meanwhile`,
    );
  }
}

/** A copy in memory of its own. */
export function copyOf(array: Floats): Floats {
  try {
    return new Float32Array(array);
  } catch (cause) {
    throw new GradstepError(
      'ERR_OUT_OF_MEMORY',
      `Could not allocate ${(lengthOf(array) / 2 ** 18).toFixed(1)} MiB for a copy of state`,
      { cause },
    );
  }
}

/**
 * Copies arrays that may lie in the memory that is about to be written.
 * @param targets The buffers of that memory. Default: our own, shared where there is shared memory.
 */
export function setAside(
  arrays: (Floats | undefined)[],
  targets?: ReadonlySet<ArrayBufferLike>,
): void {
  for (const [i, array] of arrays.entries()) {
    if (array === undefined) continue;
    const buffer = bufferOf(array);
    const isElsewhere = targets ? !targets.has(buffer) : typeof SharedArrayBuffer !== 'undefined';
    if (isShared(buffer) || !isElsewhere) arrays[i] = copyOf(array); // one memory, two buffers
  }
}
