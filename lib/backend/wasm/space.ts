/**
 * A memory of WebAssembly with the kernels bound to it: what lies there is stepped in place, and
 * anything else is copied through its scratch, block by block.
 *
 * What an optimizer or an arena has of its own lies in a space of its own, which goes with it as
 * any buffer does. Memory here grows, but nothing in it ever moves: it is shared memory. Where
 * there is none, or no address left, state lies in ordinary buffers and is copied like the rest.
 */

import { weightOf } from '../../memory/weight.ts';
import { stamps } from '../../support/stamps.ts';
import { bufferOf, byteOffsetOf, type Floats } from '../../support/typed-arrays.ts';
import { sameMemory } from '../portable/memory-map.ts';
import { type Code, instantiate, type Kernels } from './modules.ts';
import { type Memory, PAGE, webAssembly } from './webassembly.ts';

/** How many floats are copied at a time: what is copied stays in the first two caches. */
export const BLOCK = 4096;

/** Arrays of a slot: data, gradient, and at most so many of state. */
export const STATES = 4;
const ARRAYS = 2 + STATES;

/** Places in every space, in bytes; the module's own data and stack lie before them. */
const STRUCT = PAGE / 2;
const RECORD = STRUCT + 256;
const SCALARS = RECORD + 64;
const NAME = SCALARS + 64;
const SCRATCH = PAGE;
const FIRST = SCRATCH + Math.ceil((ARRAYS * BLOCK * 4) / PAGE) * PAGE;

const LINE = 64;

/** Pages of 4 GiB; less where a system is short of addresses, which are all taken at once. */
const MOST = [65536, 16384, 4096];

/** What V8 collects last of a dropped optimizer is its instance: it is told of so much more. */
const HEAVIER = 8;

/** Bytes of an empty space that are kept, since no page of it goes back to the system. */
const LARGEST_SPARE = 64 * 1024 ** 2;

/** One that is empty, for whoever asks next. */
let spare: Space | undefined;

/** By buffer: the space whose memory it is. */
const spaces = stamps<Space>();

/** The space in which an array lies, if it lies in one. */
export function spaceOf(array: Floats): Space | undefined {
  return spaces.get(bufferOf(array));
}

export class Space {
  readonly isShared: boolean;
  readonly #memory: Memory;
  #code: Code | undefined;
  #kernels: Kernels | undefined;
  #buffer: ArrayBufferLike;
  /** Up to where memory has been given out, in bytes. */
  #end = FIRST;
  /** How much of that is somebody's. */
  #live = 0;
  /** What was given back, to be given out again. */
  readonly #free: { readonly begin: number; readonly end: number }[] = [];
  /** Lets V8 count what is given out. */
  readonly #weights: unknown[] = [];

  /** Where the struct and the record of `prepare` go, and a name. */
  readonly control: Float64Array<ArrayBufferLike>;
  readonly bytes: Uint8Array<ArrayBufferLike>;
  /** What a kernel's scalars are read from. */
  readonly scalars: Float32Array<ArrayBufferLike>;
  /** By array of a slot: the block through which it is copied. */
  readonly scratch: readonly Floats[];

  private constructor(memory: Memory, isShared: boolean) {
    this.#memory = memory;
    this.isShared = isShared;
    this.#buffer = memory.buffer;
    this.#know();
    this.control = new Float64Array(this.#buffer, STRUCT, (SCALARS - STRUCT) / 8);
    this.scalars = new Float32Array(this.#buffer, SCALARS, 16);
    this.bytes = new Uint8Array(this.#buffer, 0, FIRST);
    this.scratch = Array.from(
      { length: ARRAYS },
      (_, k) => new Float32Array(this.#buffer, SCRATCH + k * BLOCK * 4, BLOCK),
    );
  }

  /** One that can grow, or undefined. */
  static growing(): Space | undefined {
    const { Memory: NewMemory } = webAssembly();
    const used = spare;
    spare = undefined;
    if (used !== undefined) return used;
    for (const maximum of MOST) {
      try {
        const memory = new NewMemory({ initial: FIRST / PAGE, maximum, shared: true });
        return new Space(memory, true);
      } catch {
        // No shared memory, or no addresses.
      }
    }
    return undefined;
  }

  /** One with nothing but scratch: anything that lies elsewhere is stepped here. */
  static fixed(): Space {
    const { Memory: NewMemory } = webAssembly();
    const pages = FIRST / PAGE;
    try {
      return new Space(new NewMemory({ initial: pages, maximum: pages, shared: true }), true);
    } catch {
      return new Space(new NewMemory({ initial: pages, maximum: pages, shared: false }), false);
    }
  }

  /** The kernels of this code here. */
  kernels(code: Code): Kernels {
    if (this.#code !== code || this.#kernels === undefined) {
      this.#kernels = instantiate(code, this.#memory);
      this.#code = code;
    }
    return this.#kernels;
  }

  /** Where an array begins; -1 if it lies elsewhere. */
  addressOf(array: Floats): number {
    return spaces.get(bufferOf(array)) === this ? byteOffsetOf(array) : -1;
  }

  /** Where a block of scratch begins. */
  scratchOf(array: number): number {
    return SCRATCH + array * BLOCK * 4;
  }

  /** Zeros on a cache line; undefined if no address is left. */
  allocate(bytes: number): Floats | undefined {
    const size = Math.ceil(bytes / LINE) * LINE;
    const begin = this.#takeFree(size) ?? this.#takeNew(size);
    if (begin !== undefined) this.#live += size;
    return begin === undefined ? undefined : new Float32Array(this.#buffer, begin, size / 4);
  }

  #takeFree(size: number): number | undefined {
    const at = this.#free.findIndex(({ begin, end }) => end - begin >= size);
    if (at < 0) return undefined;
    const { begin, end } = this.#free[at]!;
    if (end - begin > size) this.#free[at] = { begin: begin + size, end };
    else this.#free.splice(at, 1);
    new Uint8Array(this.#buffer, begin, size).fill(0);
    return begin;
  }

  #takeNew(size: number): number | undefined {
    const begin = this.#end;
    const missing = begin + size - this.#buffer.byteLength;
    if (missing > 0) {
      try {
        this.#memory.grow(Math.ceil(missing / PAGE));
      } catch {
        return undefined;
      }
      this.#buffer = this.#memory.buffer; // another object over the same memory
      this.#know();
    }
    this.#end = begin + size;
    this.#weights.push(weightOf(size * HEAVIER));
    return begin;
  }

  #know(): void {
    spaces.set(this.#buffer, this);
    sameMemory.set(this.#buffer, this.#memory);
  }

  /** Takes memory back of which nobody holds an array. */
  giveBack({ byteOffset, byteLength }: Uint8Array<ArrayBufferLike>): void {
    if (byteLength === 0) return;
    this.#free.push({ begin: byteOffset, end: byteOffset + byteLength });
    this.#live -= byteLength;
    if (this.#live > 0) return;
    this.#free.splice(0, this.#free.length, { begin: FIRST, end: this.#end });
    if (this.#end <= LARGEST_SPARE) spare = this;
  }

  /** Writes a name for `findRule`, and gives its address. */
  writeName(name: string): number {
    for (let i = 0; i < name.length; i++) this.bytes[NAME + i] = name.charCodeAt(i);
    this.bytes[NAME + name.length] = 0;
    return NAME;
  }

  get places(): { readonly struct: number; readonly record: number; readonly scalars: number } {
    return { struct: STRUCT, record: RECORD, scalars: SCALARS };
  }
}
