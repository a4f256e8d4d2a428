/**
 * What an optimizer needs from below. Three implementations give the same bits: `native` (the
 * addon), `wasm` (the addon's kernels as WebAssembly, under a core in TypeScript) and `portable`
 * (TypeScript alone).
 */

import type { Placement } from '../memory/slab.ts';
import type { Doubles, Floats } from '../support/typed-arrays.ts';
import type { BusyMemory } from './busy-memory.ts';
import type { GradientFunctions } from './gradients.ts';

export type BackendName = 'native' | 'wasm' | 'portable';

/** Why a call changed nothing; `other` is a slot number, or -1 for the optimizer's own memory. */
export interface Failure {
  readonly kind:
    | 'dataOverlap'
    | 'gradOverlap'
    | 'overflow'
    | 'missingState'
    | 'badCount'
    | 'nonFinite'
    | 'busy'
    | 'memory'
    | 'skips';
  readonly slot: number;
  readonly other: number;
}

/** A slot, its array, the next slot, … */
export type ArrayPairs = readonly (number | Floats | null)[];

/** How many arrays `Core.setArrays` takes at once; as `kMostPairs` in native/addon/arrays.cc. */
export const ARRAYS_AT_ONCE = 128;

/**
 * One optimizer's groups and slots. Slots are numbered in the order in which they were added.
 * Callers have checked types and lengths; memory is borrowed and must stay reachable and intact
 * during every `step()`.
 */
export interface Core {
  /** Declares the optimizer's own memory, which no parameter and no gradient may share. */
  claimState(bytes: Uint8Array<ArrayBufferLike>): void;
  /** Takes that back: these bytes are nobody's. */
  releaseState(bytes: Uint8Array<ArrayBufferLike>): void;
  /** Adds a group and its slots: all of them, or none and the reason. */
  addGroup(
    hyperparameters: Doubles,
    records: Doubles,
    data: readonly Floats[],
  ): Failure | undefined;
  /** What `addGroup` would refuse; the slots in the failure are those it would make. */
  findOverlap(data: readonly Floats[]): Failure | undefined;
  /** Gives up the claim on a slot's data, whose memory is gone. */
  releaseData(slot: number): void;
  /**
   * Declares that the data of these slots owns its last cache line to its end, until another array
   * comes: where the gradient does too, parameters that lie side by side in an arena become one
   * span.
   */
  ownLines(first: number, end: number): void;
  /**
   * Of the slot's gradient only these pieces count where gradients are measured or looked at, each
   * as a gradient of its own: pairs of where one begins and ends. Between them is padding.
   */
  setPieces(slot: number, pieces: Doubles): void;
  /**
   * The last two dimensions of the slot's parameter, for a rule that sees shapes: its data is so
   * many matrices, one after the other. Without a call it has fewer.
   */
  setShape(slot: number, rows: number, columns: number): void;
  /** The slot's hyperparameters and record lie here, no longer where its group's do. */
  setSlot(slot: number, hyperparameters: Doubles, record: Doubles): void;
  /**
   * One kind of state of some slots: pairs of a slot and where its array begins in `memory`, as
   * many as `count` says. Memory that is no longer than the state is the array itself. Gives
   * the arrays, in order, if this core has made them for itself.
   */
  setStates(which: number, memory: Floats, places: Doubles, count: number): Floats[] | undefined;
  /**
   * Registers the data, or the gradients, that slots have now: pairs of a slot and its array, where
   * null is no gradient; at most `ARRAYS_AT_ONCE`. Gives the number of the first pair whose array
   * is no Float32Array of the slot's length; nothing has changed then.
   */
  setArrays(field: 'data' | 'grad', pairs: ArrayPairs): number | undefined;
  /** @param ownsLine Whether it owns its last cache line to its end. Default: false. */
  setGrad(slot: number, grad: Floats | null, ownsLine?: boolean): void;
  /**
   * Reads these options at each step, and reports there: structs as `step-options.ts` lays them
   * out. Without a call steps do nothing beside their rule.
   */
  setOptions(options: Doubles, report: Doubles): void;
  /**
   * Refuses arrays that came since the last step and overlap, and, for somebody who is about to
   * write them, those that an asynchronous step is working on.
   */
  verifyMemory(writing: boolean): Failure | undefined;
  /** Steps every slot that has a gradient; on failure nothing has changed. */
  step(): Failure | undefined;
  /**
   * Adds slots to a group that stands: all of them, or none and the reason, in which they come
   * after all others. The first comes before the slot `first`, which moves up with all behind it.
   */
  insertSlots(
    first: number,
    group: number,
    hyperparameters: Doubles,
    records: Doubles,
    data: readonly Floats[],
  ): Failure | undefined;
  /** Lets slots go, given in increasing order; those behind them move up. */
  removeSlots(slots: Doubles): void;
  /**
   * Gives a slot the data of another parameter, of whatever length; it keeps its hyperparameters
   * and its record, and has no gradient and no state until they are set. A failure has changed
   * nothing; it calls the slot as if it came after all others.
   */
  replaceSlot(slot: number, data: Floats): Failure | undefined;
  dispose(): void;
}

/** The failure of one core of several; `core` is its place among them. */
export type SequenceFailure = Failure & { readonly core: number };

/** Cores that are stepped as one. A failure has changed nothing. */
export interface CoreSequence {
  /** A whole step. Gradients are zeroed, where options ask for it, after all have been read. */
  step(): SequenceFailure | undefined;
  /**
   * Everything of a step that can fail; `run` or `cancel` comes next, and until then the memory is
   * taken.
   */
  prepare(): SequenceFailure | undefined;
  /** The rest of the step, but for zeroing gradients. */
  run(): void;
  cancel(): void;
  /**
   * A whole step on another thread, over shared memory, while every other call on these cores is
   * refused. Gives false if `cancelBackground` came before a thread had begun. The backends in
   * TypeScript step at once.
   */
  stepInBackground(): Promise<SequenceFailure | undefined | false>;
  cancelBackground(): void;
}

export interface Backend extends GradientFunctions, Placement {
  readonly name: BackendName;
  /** The register of the process, where this backend has one: steps on other threads are there. */
  readonly busy?: BusyMemory;
  /** The instruction sets that can run here, best first. */
  isas(): readonly string[];
  /** The one in force. */
  isa(): string;
  /** Forces one for all following steps; false if it cannot run here. */
  setIsa(name: string): boolean;
  /** How many threads a step may use. */
  threads(): number;
  setThreads(count: number): void;
  /**
   * Several cores of this backend, no two the same, that are stepped as one in this order.
   * @param follows By core: 0 for an optimizer's; n for an average that is stepped, with what they
   * left, if any optimizer among the n cores before it has been.
   */
  sequence(cores: readonly Core[], follows: readonly number[]): CoreSequence;
  /**
   * Makes an empty core for an update rule whose hyperparameters are laid out as `fields`, and
   * what it remembers of a parameter beside its arrays as `record`.
   */
  open(rule: string, fields: readonly string[], record: readonly string[]): Core;
  /** Where memory that will be used together is allocated. */
  home(): Placement;
}
