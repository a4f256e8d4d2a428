/**
 * Memory for state, hyperparameters and step counts: views on cache lines, cut from a few
 * growing slabs, so that ten thousand small groups cost a few buffers. The slabs are shared
 * memory, which nobody can detach or shrink: the core keeps pointers into them for good.
 */

import { GradstepError } from './errors.ts';

/** Bytes of a cache line, and the alignment of every view. */
export const LINE = 64;

/** How many float32 fit into a line. */
export const FLOATS_PER_LINE = LINE / 4;

/** A number of float32, rounded up to whole lines. */
export function wholeLines(length: number): number {
  return Math.ceil(length / FLOATS_PER_LINE) * FLOATS_PER_LINE;
}

const SMALLEST = 64 * 1024;
const LARGEST = 1024 ** 3;

/** Hands out zeroed, line-aligned views; what it gives is kept until the allocator goes. */
export class SlabAllocator {
  #slab: ArrayBufferLike | undefined;
  /** All of them: memory that the core knows as ours is not given out to others. */
  readonly #slabs: ArrayBufferLike[] = [];
  #used = 0;
  #next: number;

  /**
   * @param residue How many bytes an address is past a cache line.
   * @param onSlab Told of every new slab.
   * @param smallest Bytes of the first slab; later ones double.
   */
  constructor(
    private readonly residue: (bytes: Uint8Array<ArrayBufferLike>) => number,
    private readonly onSlab: (bytes: Uint8Array<ArrayBufferLike>) => void = () => {},
    smallest: number = SMALLEST,
  ) {
    this.#next = smallest;
  }

  /** Remembers how far this has got; calling the result takes back what was given since. */
  mark(): () => void {
    const [slab, used] = [this.#slab, this.#used];
    return () => {
      if (this.#slab === slab) this.#used = used;
    };
  }

  float32(length: number): Float32Array<ArrayBufferLike> {
    const offset = this.#take(length * 4);
    return new Float32Array(this.#slab!, offset, length).fill(0);
  }

  float64(length: number): Float64Array<ArrayBufferLike> {
    const offset = this.#take(length * 8);
    return new Float64Array(this.#slab!, offset, length).fill(0);
  }

  /** The offset of so many bytes, rounded up to whole lines, in a slab that has room. */
  #take(bytes: number): number {
    const size = Math.ceil(bytes / LINE) * LINE;
    if (this.#slab === undefined || this.#used + size > this.#slab.byteLength) this.#grow(size);
    const offset = this.#used;
    this.#used += size;
    return offset;
  }

  #grow(size: number): void {
    const capacity = Math.max(this.#next, size);
    const slab = allocate(capacity + LINE);
    const bytes = new Uint8Array(slab);
    this.onSlab(bytes);
    this.#slab = slab;
    this.#slabs.push(slab);
    this.#used = (LINE - this.residue(bytes)) % LINE;
    this.#next = Math.min(Math.max(this.#next, capacity) * 2, LARGEST);
  }
}

function allocate(bytes: number): ArrayBufferLike {
  try {
    // A browser page without isolation has no shared memory; only the portable backend runs there.
    return typeof SharedArrayBuffer === 'undefined'
      ? new ArrayBuffer(bytes)
      : new SharedArrayBuffer(bytes);
  } catch (cause) {
    throw new GradstepError(
      'ERR_OUT_OF_MEMORY',
      `Could not allocate ${(bytes / 2 ** 20).toFixed(1)} MiB for optimizer state`,
      { cause },
    );
  }
}
