/**
 * Memory for state, hyperparameters and step counts: views on cache lines, cut from a few
 * growing slabs, so that ten thousand small groups cost a few buffers, and a small optimizer
 * little more than what it uses. The slabs are shared memory, which nobody can detach or shrink:
 * the core keeps pointers into them until it is told that they have gone.
 */

import { GradstepError } from '../support/errors.ts';
import { bufferOf, byteOffsetOf, type Floats, lengthOf, viewOf } from '../support/typed-arrays.ts';
import { weighed } from './weight.ts';

/** Bytes of a cache line, and the alignment of every view. */
export const LINE = 64;

/** How many float32 fit into a line. */
export const FLOATS_PER_LINE = LINE / 4;

/** Bytes of a page: addresses that are whole pages apart compete for the same places of a cache. */
const PAGE = 4096;

/** From how many bytes on it matters where in its page an array begins. */
export const LARGE_ARRAY = 64 * 1024;

/** How far apart in their pages the large arrays of one step begin: an odd number of lines. */
const SKEW = 17 * LINE;

/** From how many bytes on a slab asks for huge pages: a stream over 160 MB ran 10–20 % faster. */
const HUGE = 4 * 1024 ** 2;

/** What a backend knows of addresses. */
export interface Placement {
  /** From how many float32 on kernels step along the cache lines of the data. */
  readonly longArray: number;
  /** How many bytes an address is past a page. */
  residue(bytes: Uint8Array<ArrayBufferLike>): number;
  /** Asks the system for huge pages, before the memory is first touched. */
  adviseHugePages(bytes: Uint8Array<ArrayBufferLike>): void;
  /**
   * Gives the pages of memory that nobody will read back to the system, where it can: what lies
   * there afterwards is not said. The memory stays usable.
   */
  giveBack(bytes: Uint8Array<ArrayBufferLike>): void;
  /** Zeros of its own, on a cache line; undefined where it leaves that to the caller. */
  allocate?(bytes: number): Floats | undefined;
  /** What is allocated from now on is stepped together with this array. */
  settleNear?(array: Floats): void;
}

/** Who is told which memory an allocator has: a core, since nobody else may lie there. */
export interface Claims {
  claimState(bytes: Uint8Array<ArrayBufferLike>): void;
  releaseState(bytes: Uint8Array<ArrayBufferLike>): void;
}

/** Room for float32 in the memory of a slab. */
export interface Block {
  readonly memory: Floats;
  readonly begin: number;
}

/** A number of float32, rounded up to whole lines. */
export function wholeLines(length: number): number {
  return Math.ceil(length / FLOATS_PER_LINE) * FLOATS_PER_LINE;
}

const LARGEST = 1024 ** 3;

/** How far an allocator has got. */
export interface Mark {
  readonly slab: object | undefined;
  readonly used: number;
  readonly live: number;
}

/** One piece of memory; all numbers are bytes, and places count from its beginning. */
interface Slab {
  readonly memory: Floats;
  /** Where it begins in the memory's buffer. */
  readonly origin: number;
  /** How far its beginning is past a page. */
  readonly residue: number;
  /** Where its first line begins. */
  readonly first: number;
  /** Up to where it has been given out. */
  used: number;
  /** How much of that has not been freed. */
  live: number;
  /** Whether a user may have an array in it that was freed. */
  held: boolean;
  /** The one that came before it. */
  before: Slab | undefined;
}

/**
 * Hands out zeroed, line-aligned views. A slab goes when all of it has been freed; nothing of it
 * is given out twice, since somebody may yet hold what lies there.
 */
export class SlabAllocator {
  readonly #placement: Placement;
  readonly #claims: Claims | undefined;
  readonly #smallest: number;
  /** The last one, from which new memory comes. */
  #slab: Slab | undefined;

  /**
   * @param claims Told of every slab that comes or goes.
   * @param smallest Bytes of the first slab, at least.
   */
  constructor(placement: Placement, claims?: Claims, smallest = 0) {
    this.#placement = placement;
    this.#claims = claims;
    this.#smallest = smallest;
  }

  /** How far this has got, for `takeBack`. */
  mark(): Mark {
    const slab = this.#slab;
    return { slab, used: slab?.used ?? 0, live: slab?.live ?? 0 };
  }

  /** Takes back what was given since; of slabs that came since, the last one stays for others. */
  takeBack({ slab, used, live }: Mark): void {
    const last = this.#slab;
    if (last === undefined) return;
    while (last !== slab && last.before !== slab) this.#drop(last.before!);
    const from = last === slab ? used : last.first;
    // What was written meanwhile is no state of whoever comes next.
    new Uint8Array(last.memory.buffer, last.origin + from, last.used - from).fill(0);
    last.used = from;
    last.live = last === slab ? live : 0;
  }

  /** @param place Which of the arrays that are stepped together it is, for where large ones begin. */
  float32(length: number, place = 0): Floats {
    const { memory, begin } = this.block(length, place);
    return viewOf(memory, begin, length);
  }

  /**
   * Room for so many float32, zeros: for those who cut it later.
   * @param soon How many will be asked for at once, these included: a new slab has room for them.
   */
  block(length: number, place = 0, soon = length): Block {
    const { slab, offset } = this.#take(length * 4, place, soon * 4);
    const { memory } = slab;
    const begin = offset / 4;
    // It is zeros already; but a large part is touched here, not by the first step.
    if (length * 4 >= LARGE_ARRAY) memory.fill(0, begin, begin + length);
    return { memory, begin };
  }

  /** How many float32 a long array begins past a cache line; 0 for a short one. */
  headOf(array: Floats): number {
    if (lengthOf(array) < this.#placement.longArray) return 0;
    const bytes = new Uint8Array(bufferOf(array), byteOffsetOf(array), LINE);
    return (this.#placement.residue(bytes) % LINE) / 4;
  }

  float64(length: number): Float64Array<ArrayBufferLike> {
    const { slab, offset } = this.#take(length * 8);
    return new Float64Array(slab.memory.buffer, slab.origin + offset, length);
  }

  /**
   * Takes back the lines in which an array of this length lies.
   * @param isHeld Whether a user may yet read or write it.
   * @returns Whether it came from here.
   */
  free({ memory, begin }: Block, length: number, isHeld: boolean): boolean {
    const buffer = bufferOf(memory);
    let slab = this.#slab;
    const place = byteOffsetOf(memory) + begin * 4;
    while (slab !== undefined && !lies(slab, buffer, place)) slab = slab.before;
    if (slab === undefined) return false;
    const offset = place - slab.origin;
    const head = (offset - slab.first) % LINE;
    const bytes = wholeLines(head / 4 + length) * 4;
    slab.live -= bytes;
    slab.held ||= isHeld;
    if (slab.live === 0) {
      this.#drop(slab);
    } else if (!isHeld && bytes >= LARGE_ARRAY) {
      this.#placement.giveBack(new Uint8Array(buffer, place - head, bytes));
    }
    return true;
  }

  /** Frees everything. @param held The arrays that a user may yet read or write. */
  freeAll(held: ReadonlySet<ArrayBufferLike>): void {
    while (this.#slab !== undefined) {
      this.#slab.held ||= held.has(this.#slab.memory.buffer);
      this.#drop(this.#slab);
    }
  }

  #drop(slab: Slab): void {
    if (slab === this.#slab) {
      this.#slab = slab.before;
    } else {
      let next = this.#slab!;
      while (next.before !== slab) next = next.before!;
      next.before = slab.before;
    }
    const bytes = bytesOf(slab.memory);
    this.#claims?.releaseState(bytes);
    if (!slab.held) this.#placement.giveBack(bytes);
  }

  /** So many bytes, rounded up to whole lines, in a slab that has room. */
  #take(bytes: number, place = 0, soon = bytes): { slab: Slab; offset: number } {
    const size = Math.ceil(bytes / LINE) * LINE;
    const room = size < LARGE_ARRAY ? size : size + PAGE;
    let slab = this.#slab;
    if (slab === undefined || slab.used + room > slab.memory.byteLength) {
      slab = this.#grow(Math.max(room, soon));
    }
    const skew = size < LARGE_ARRAY ? 0 : skewOf(slab, place * SKEW);
    const offset = slab.used + skew;
    slab.used = offset + size;
    slab.live += size;
    return { slab, offset };
  }

  /** A new slab, as large as all that is in use: what is used doubles with each. */
  #grow(size: number): Slab {
    let live = 0;
    for (let slab = this.#slab; slab !== undefined; slab = slab.before) live += slab.live;
    const wanted = Math.max(this.#smallest, size, Math.min(live, LARGEST)) + LINE;
    const memory = this.#placement.allocate?.(wanted) ?? allocate(wanted);
    const bytes = bytesOf(memory);
    const residue = this.#placement.residue(bytes);
    if (bytes.byteLength >= HUGE) this.#placement.adviseHugePages(bytes);
    this.#claims?.claimState(bytes);
    const origin = bytes.byteOffset;
    const first = (LINE - (residue % LINE)) % LINE;
    const before = this.#slab;
    this.#slab = { memory, origin, residue, first, used: first, live: 0, held: false, before };
    return this.#slab;
  }
}

/** How many bytes of a slab to leave out so that the next one lies so far past a page. */
function skewOf({ residue, used }: Slab, wanted: number): number {
  return (((wanted - residue - used) % PAGE) + PAGE) % PAGE;
}

function bytesOf({ buffer, byteOffset, byteLength }: Floats): Uint8Array<ArrayBufferLike> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Whether this place of this buffer is in the slab. */
function lies({ memory, origin }: Slab, buffer: ArrayBufferLike, place: number): boolean {
  return memory.buffer === buffer && place >= origin && place < origin + memory.byteLength;
}

function allocate(bytes: number): Floats {
  const whole = Math.ceil(bytes / LINE) * LINE;
  try {
    // A browser page without isolation has no shared memory; the native backend never runs there.
    return new Float32Array(
      typeof SharedArrayBuffer === 'undefined'
        ? new ArrayBuffer(whole)
        : weighed(new SharedArrayBuffer(whole)),
    );
  } catch (cause) {
    throw new GradstepError(
      'ERR_OUT_OF_MEMORY',
      `Could not allocate ${(bytes / 2 ** 20).toFixed(1)} MiB for optimizer state`,
      { cause },
    );
  }
}
