/**
 * Memory for state, hyperparameters and step counts: views on cache lines, cut from a few
 * growing slabs, so that ten thousand small groups cost a few buffers. The slabs are shared
 * memory, which nobody can detach or shrink: the core keeps pointers into them for good.
 */

import { GradstepError } from '../support/errors.ts';
import { bufferOf, byteOffsetOf, type Floats, lengthOf, viewOf } from '../support/typed-arrays.ts';

/** Bytes of a cache line, and the alignment of every view. */
export const LINE = 64;

/** How many float32 fit into a line. */
export const FLOATS_PER_LINE = LINE / 4;

/** Bytes of a page: addresses that are whole pages apart compete for the same places of a cache. */
const PAGE = 4096;

/** From how many bytes on it matters where in its page an array begins. */
const LARGE_ARRAY = 64 * 1024;

/** How far apart in their pages the large arrays of one step begin: an odd number of lines. */
const SKEW = 17 * LINE;

/** From how many float32 on it matters where in its cache line an array begins. */
const LONG_ARRAY = 1024;

/** From how many bytes on a slab asks for huge pages: a stream over 160 MB ran 10–20 % faster. */
const HUGE = 4 * 1024 ** 2;

/** What a backend knows of addresses. */
export interface Placement {
  /** How many bytes an address is past a page. */
  residue(bytes: Uint8Array<ArrayBufferLike>): number;
  /** Asks the system for huge pages, before the memory is first touched. */
  adviseHugePages(bytes: Uint8Array<ArrayBufferLike>): void;
}

/** A number of float32, rounded up to whole lines. */
export function wholeLines(length: number): number {
  return Math.ceil(length / FLOATS_PER_LINE) * FLOATS_PER_LINE;
}

const SMALLEST = 64 * 1024;
const LARGEST = 1024 ** 3;

/** How far an allocator has got. */
export interface Mark {
  readonly slab: Floats | undefined;
  readonly used: number;
}

/** Hands out zeroed, line-aligned views; what it gives is kept until the allocator goes. */
export class SlabAllocator {
  #slab: Floats | undefined;
  /** All of them: memory that the core knows as ours is not given out to others. */
  readonly #slabs: ArrayBufferLike[] = [];
  #used = 0;
  /** Where the slab's first line begins. */
  #first = 0;
  /** How far the slab's beginning is past a page. */
  #residue = 0;
  #next: number;

  /**
   * @param onSlab Told of every new slab.
   * @param smallest Bytes of the first slab; later ones double.
   */
  constructor(
    private readonly placement: Placement,
    private readonly onSlab: (bytes: Uint8Array<ArrayBufferLike>) => void = () => {},
    smallest: number = SMALLEST,
  ) {
    this.#next = smallest;
  }

  /** How far this has got, for `takeBack`. */
  mark(): Mark {
    return { slab: this.#slab, used: this.#used };
  }

  /** Takes back what was given since; of slabs that came since, the last one stays for others. */
  takeBack({ slab, used }: Mark): void {
    if (this.#slab === undefined) return;
    const from = this.#slab === slab ? used : this.#first;
    // What was written meanwhile is no state of whoever comes next.
    new Uint8Array(this.#slab.buffer, from, this.#used - from).fill(0);
    this.#used = from;
  }

  /** @param place Which of the arrays that are stepped together it is, for where large ones begin. */
  float32(length: number, place = 0): Floats {
    const { memory, begin } = this.block(length, place);
    return viewOf(memory, begin, length);
  }

  /** Room for so many float32, zeros, from `begin` on in `memory`: for those who cut it later. */
  block(length: number, place = 0): { memory: Floats; begin: number } {
    const begin = this.#take(length * 4, place) / 4;
    const memory = this.#slab!;
    // It is zeros already; but a large part is touched here, not by the first step.
    if (length * 4 >= LARGE_ARRAY) memory.fill(0, begin, begin + length);
    return { memory, begin };
  }

  /** How many float32 a long array begins past a cache line; 0 for a short one. */
  headOf(array: Floats): number {
    if (lengthOf(array) < LONG_ARRAY) return 0;
    const bytes = new Uint8Array(bufferOf(array), byteOffsetOf(array), LINE);
    return (this.placement.residue(bytes) % LINE) / 4;
  }

  float64(length: number): Float64Array<ArrayBufferLike> {
    const offset = this.#take(length * 8);
    return new Float64Array(this.#slab!.buffer, offset, length);
  }

  /** The offset of so many bytes, rounded up to whole lines, in a slab that has room. */
  #take(bytes: number, place = 0): number {
    const size = Math.ceil(bytes / LINE) * LINE;
    const room = size < LARGE_ARRAY ? size : size + PAGE;
    if (this.#slab === undefined || this.#used + room > this.#slab.byteLength) this.#grow(room);
    const skew = size < LARGE_ARRAY ? 0 : this.#skew(place * SKEW);
    const offset = this.#used + skew;
    this.#used = offset + size;
    return offset;
  }

  /** How many bytes to leave out so that the next one lies so far past a page. */
  #skew(wanted: number): number {
    return (((wanted - this.#residue - this.#used) % PAGE) + PAGE) % PAGE;
  }

  #grow(size: number): void {
    const capacity = Math.max(this.#next, size);
    const slab = allocate(capacity + LINE);
    const bytes = new Uint8Array(slab);
    const residue = this.placement.residue(bytes);
    if (slab.byteLength >= HUGE) this.placement.adviseHugePages(bytes);
    this.onSlab(bytes);
    this.#slab = new Float32Array(slab);
    this.#slabs.push(slab);
    this.#residue = residue;
    this.#first = (LINE - (this.#residue % LINE)) % LINE;
    this.#used = this.#first;
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
