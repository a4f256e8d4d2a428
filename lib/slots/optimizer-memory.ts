/** The memory of one optimizer: what it hands out in `state`, and what it keeps to itself. */

import type { Backend, Core } from '../backend/backend.ts';
import {
  type Block,
  type Claims,
  LARGE_ARRAY,
  type Mark,
  type Placement,
  SlabAllocator,
} from '../memory/slab.ts';
import type { Doubles, Floats } from '../support/typed-arrays.ts';

/** The state of one parameter, by position in the schema's list. */
export type StateArrays = (Floats | undefined)[];

type Bytes = Uint8Array<ArrayBufferLike>;

/** Bytes of the first slab with structs and records: most optimizers have one group. */
const SMALLEST_CONTROL = 448;

/** How far the memory of an optimizer has got. */
interface Marks {
  readonly control: Mark;
  readonly small: Mark | undefined;
  /** By kind. */
  readonly large: readonly (Mark | undefined)[];
}

/** The mark of what was not there. */
const NOTHING: Mark = { slab: undefined, used: 0, live: 0 };

/** Everything here is claimed in the core: no parameter and no gradient may lie in it. */
export class OptimizerMemory implements Claims {
  readonly #home: Placement;
  #core: Core | undefined;
  /** Structs and records: never handed out, but read through groups, also after `release`. */
  readonly #control: SlabAllocator;
  /** State that is small altogether: a slab for each kind would cost more than what is in it. */
  #small: SlabAllocator | undefined;
  /**
   * By kind: each lies as the parameters of an arena do, over all groups. Kinds that took turns
   * would drift against the parameters, and now and then meet them at the same place of a page.
   */
  #large: (SlabAllocator | undefined)[] | undefined;

  constructor(backend: Backend, core: Core) {
    this.#home = backend.home();
    this.#core = core;
    this.#control = new SlabAllocator(this.#home, this, SMALLEST_CONTROL);
  }

  /**
   * Zeros for so many floats of a kind of state.
   * @param kinds How many kinds will ask for as much, this one included.
   * @param data What is stepped with it.
   */
  block(kind: number, length: number, kinds: number, data: Floats): Block {
    if (length * 4 < LARGE_ARRAY) {
      this.#small ??= new SlabAllocator(this.#home, this);
      return this.#small.block(length, kind + 2, kinds * length);
    }
    this.#home.settleNear?.(data);
    this.#large ??= [];
    this.#large[kind] ??= new SlabAllocator(this.#home, this);
    return this.#large[kind].block(length, kind + 2);
  }

  /** As `SlabAllocator.headOf`. */
  headOf(array: Floats): number {
    return this.#control.headOf(array);
  }

  claimState(bytes: Bytes): void {
    this.#core?.claimState(bytes);
  }

  releaseState(bytes: Bytes): void {
    this.#core?.releaseState(bytes);
  }

  /** How far this has got, for `takeBack`. */
  mark(): Marks {
    const large: (Mark | undefined)[] = [];
    for (const slabs of this.#large ?? []) large.push(slabs?.mark());
    return { control: this.#control.mark(), small: this.#small?.mark(), large };
  }

  /** Takes back what was given since. */
  takeBack({ control, small, large }: Marks): void {
    this.#control.takeBack(control);
    this.#small?.takeBack(small ?? NOTHING);
    for (const [k, slabs] of (this.#large ?? []).entries()) slabs?.takeBack(large[k] ?? NOTHING);
  }

  /** Zeros for a struct or for records. */
  doubles(length: number): Doubles {
    return this.#control.float64(length);
  }

  /** Takes back one kind of state of one parameter. @param isHeld As `SlabAllocator.free`. */
  free(kind: number, block: Block, length: number, isHeld: boolean): void {
    if (this.#small?.free(block, length, isHeld)) return;
    this.#large?.[kind]?.free(block, length, isHeld); // empty arrays may have lost their slab before
  }

  /**
   * Gives all state back, once the core has been disposed of. What lies beside an array that a
   * user may hold stays, until the garbage collector finds that nobody does.
   * @param held The buffers of such arrays.
   */
  release(held: ReadonlySet<ArrayBufferLike>): void {
    this.#core = undefined;
    for (const slabs of [this.#small, ...(this.#large ?? [])]) slabs?.freeAll(held);
  }
}
