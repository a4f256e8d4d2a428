/**
 * Lets V8 count shared memory. It counts ordinary buffers and collects garbage as they add up, but
 * shared ones weigh nothing there: a loop that drops optimizers would grow until the machine is
 * full. So each slab is tied to an ordinary buffer of its weight, which nobody touches: it
 * takes addresses but no memory, and goes with the slab.
 */

import { stamps } from '../support/stamps.ts';

/** Small slabs share a weight of this size: one for each would cost more than it counts. */
const SMALL = 1024 ** 2;

/**
 * A slab weighs so many times its size: what hangs on it (tables, cores, views) lives in a few
 * collections more than an ordinary array does.
 */
const HEAVIER = 2;

const Ordinary = ArrayBuffer;
const weights = stamps<ArrayBuffer | undefined>();

/** What small slabs share at the moment, and how many bytes of it are not taken yet. */
let shared: ArrayBuffer | undefined;
let room = 0;

/**
 * Counts the bytes of a new slab for as long as it lives. It comes before its weight: what is
 * counted already makes V8 look for garbage, and the slab itself is none.
 */
export function weighed<T extends ArrayBufferLike>(slab: T): T {
  const bytes = slab.byteLength;
  if (bytes >= SMALL) {
    weights.set(slab, weightOf(bytes));
    return slab;
  }
  if (room < bytes) {
    shared = untouched(SMALL);
    room = SMALL;
  }
  room -= bytes;
  weights.set(slab, shared);
  return slab;
}

/** What V8 counts for so many bytes, as long as it lives. */
export function weightOf(bytes: number): ArrayBuffer | undefined {
  return untouched(Math.ceil(bytes * HEAVIER));
}

/** A buffer of zeros that takes no memory: only one that can grow comes as untouched pages. */
function untouched(bytes: number): ArrayBuffer | undefined {
  if (!('resizable' in Ordinary.prototype)) return undefined;
  try {
    return Reflect.construct(Ordinary, [bytes, { maxByteLength: bytes }]);
  } catch {
    return undefined; // where addresses are scarce, the slab matters more
  }
}
