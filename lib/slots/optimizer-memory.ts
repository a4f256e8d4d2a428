/** The memory of one optimizer: what it hands out in `state`, and what it keeps to itself. */

import type { Backend, Core } from '../backend/backend.ts';
import { type Mark, SlabAllocator } from '../memory/slab.ts';
import { bufferOf, type Doubles, type Floats, lengthOf } from '../support/typed-arrays.ts';

/** The state of one parameter, by position in the schema's list. */
export type StateArrays = (Floats | undefined)[];

type Bytes = Uint8Array<ArrayBufferLike>;

/** Bytes of the first slab for a kind of state. */
const SMALLEST_STATE = 16 * 1024;

/** How far the memory of an optimizer has got. */
interface Marks {
  readonly control: Mark;
  /** By kind. */
  readonly state: readonly (Mark | undefined)[];
}

/** The mark of what was not there. */
const NOTHING: Mark = { slab: undefined, used: 0 };

/** Everything here is claimed in the core: no parameter and no gradient may lie in it. */
export class OptimizerMemory {
  readonly #backend: Backend;
  readonly #core: Core;
  /** Structs and records: never handed out. */
  readonly #control: SlabAllocator;
  readonly #controlSlabs: Bytes[] = [];
  /**
   * By kind: each lies as the parameters of an arena do, over all groups. Kinds that took turns
   * would drift against the parameters, and now and then meet them at the same place of a page.
   */
  #state: (SlabAllocator | undefined)[] = [];
  /** What the core knows as ours is not given out to others as long as it knows it. */
  #stateSlabs: Bytes[] = [];

  constructor(backend: Backend, core: Core) {
    this.#backend = backend;
    this.#core = core;
    this.#control = new SlabAllocator(backend, (bytes) => this.#claim(bytes, this.#controlSlabs));
  }

  /** Where new state of a kind comes from. */
  state(kind: number): SlabAllocator {
    this.#state[kind] ??= new SlabAllocator(
      this.#backend,
      (bytes) => this.#claim(bytes, this.#stateSlabs),
      SMALLEST_STATE,
    );
    return this.#state[kind];
  }

  #claim(bytes: Bytes, list: Bytes[]): void {
    this.#core.claimState(bytes);
    list.push(bytes);
  }

  /** How far this has got, for `takeBack`. */
  mark(): Marks {
    const state: (Mark | undefined)[] = [];
    for (const slabs of this.#state) state.push(slabs?.mark());
    return { control: this.#control.mark(), state };
  }

  /** Takes back what was given since. */
  takeBack({ control, state }: Marks): void {
    this.#control.takeBack(control);
    for (const [k, slabs] of this.#state.entries()) slabs?.takeBack(state[k] ?? NOTHING);
  }

  /** Zeros for a struct or for records. */
  doubles(length: number): Doubles {
    return this.#control.float64(length);
  }

  /** Zeros for one kind of state of a parameter with this data. */
  stateFor(data: Floats, kind: number): Floats {
    const slabs = this.state(kind);
    const head = slabs.headOf(data);
    const block = slabs.float32(head + lengthOf(data), kind + 2);
    return new Float32Array(block.buffer, block.byteOffset + head * 4, lengthOf(data));
  }

  /**
   * Claims in another core what it is to know: all but state that is none of these. Calling the
   * result forgets that state; the other core is ours then.
   */
  claimIn(core: Core, kept: readonly StateArrays[]): () => void {
    const buffers = new Set<ArrayBufferLike>();
    for (const arrays of kept) for (const array of arrays) if (array) buffers.add(bufferOf(array));
    const slabs = Array.from(buffers, (buffer) => new Uint8Array(buffer));
    for (const bytes of [...this.#controlSlabs, ...slabs]) core.claimState(bytes);
    return () => {
      this.#stateSlabs = slabs;
      this.#state = []; // the old slabs live as long as what lies in them
    };
  }
}
