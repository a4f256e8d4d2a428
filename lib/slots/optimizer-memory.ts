/** The memory of one optimizer: what it hands out in `state`, and what it keeps to itself. */

import type { Backend, Core } from '../backend/backend.ts';
import { type Block, type Claims, type Mark, SlabAllocator } from '../memory/slab.ts';
import type { Doubles, Floats } from '../support/typed-arrays.ts';

/** The state of one parameter, by position in the schema's list. */
export type StateArrays = (Floats | undefined)[];

type Bytes = Uint8Array<ArrayBufferLike>;

/** Bytes of the first slab with structs and records: most optimizers have one group. */
const SMALLEST_CONTROL = 960;

/** How far the memory of an optimizer has got. */
interface Marks {
  readonly control: Mark;
  /** By kind. */
  readonly state: readonly (Mark | undefined)[];
}

/** The mark of what was not there. */
const NOTHING: Mark = { slab: undefined, used: 0, live: 0 };

/** Everything here is claimed in the core: no parameter and no gradient may lie in it. */
export class OptimizerMemory implements Claims {
  readonly #backend: Backend;
  #core: Core | undefined;
  /** Structs and records: never handed out, but read through groups, also after `release`. */
  readonly #control: SlabAllocator;
  /**
   * By kind: each lies as the parameters of an arena do, over all groups. Kinds that took turns
   * would drift against the parameters, and now and then meet them at the same place of a page.
   */
  readonly #state: (SlabAllocator | undefined)[];

  /** @param kinds How many kinds of state there are. */
  constructor(backend: Backend, core: Core, kinds: number) {
    this.#backend = backend;
    this.#core = core;
    this.#control = new SlabAllocator(backend, this, SMALLEST_CONTROL);
    this.#state = new Array(kinds);
  }

  /** Where new state of a kind comes from. */
  state(kind: number): SlabAllocator {
    this.#state[kind] ??= new SlabAllocator(this.#backend, this);
    return this.#state[kind];
  }

  claimState(bytes: Bytes): void {
    this.#core?.claimState(bytes);
  }

  releaseState(bytes: Bytes): void {
    this.#core?.releaseState(bytes);
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

  /** Takes back one kind of state of one parameter. @param isHeld As `SlabAllocator.free`. */
  free(kind: number, block: Block, length: number, isHeld: boolean): void {
    this.#state[kind]!.free(block, length, isHeld);
  }

  /**
   * Gives all state back, once the core has been disposed of. What lies beside an array that a
   * user may hold stays, until the garbage collector finds that nobody does.
   * @param held The buffers of such arrays.
   */
  release(held: ReadonlySet<ArrayBufferLike>): void {
    this.#core = undefined;
    for (const slabs of this.#state) slabs?.freeAll(held);
  }
}
