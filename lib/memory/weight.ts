/**
 * Lets V8 count shared memory. It counts ordinary buffers and collects garbage as they add up, but
 * shared ones weigh nothing there: a loop that drops optimizers would grow until the machine is
 * full. So each slab is tied to an ordinary buffer as large as itself, which nobody touches: it
 * takes addresses but no memory, and goes with the slab.
 */

import { stamps } from '../support/stamps.ts';

/** Small slabs share a weight of this size: one for each would cost more than it counts. */
const SMALL = 1024 ** 2;

const Ordinary = ArrayBuffer;
const weights = stamps<ArrayBuffer | undefined>();

/** What small slabs share at the moment, and how many bytes of it are not taken yet. */
let shared: ArrayBuffer | undefined;
let room = 0;

/**
 * Counts as many bytes as there are in the slab that `allocate` makes for as long as it lives;
 * first, so that garbage is collected before there is more of it.
 */
export function weighed<T extends ArrayBufferLike>(bytes: number, allocate: () => T): T {
  if (bytes < SMALL && room < bytes) {
    shared = untouched(SMALL);
    room = SMALL;
  }
  const value = bytes < SMALL ? shared : untouched(bytes);
  const slab = allocate();
  if (bytes < SMALL) room -= bytes;
  weights.set(slab, value);
  return slab;
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
