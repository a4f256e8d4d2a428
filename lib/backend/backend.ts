/**
 * What an optimizer needs from below. Two implementations give the same bits: `native` (the
 * addon) and `portable` (TypeScript).
 */

import type { Placement } from '../memory/slab.ts';
import type { Doubles, Floats } from '../support/typed-arrays.ts';
import type { GradientFunctions } from './gradients.ts';

export type BackendName = 'native' | 'portable';

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
   * Declares that the arrays of these slots own their last cache line to its end, and that they may
   * be stepped there: parameters that lie side by side in an arena become one span.
   */
  ownLines(first: number, end: number): void;
  /** The slot's hyperparameters and record lie here, no longer where its group's do. */
  setSlot(slot: number, hyperparameters: Doubles, record: Doubles): void;
  /**
   * One kind of state of some slots: pairs of a slot and where its array begins in `memory`, as
   * many as `count` says. Memory that is no longer than the slot's data is the array itself. Gives
   * the arrays, in order, if this core has made them for itself.
   */
  setStates(which: number, memory: Floats, places: Doubles, count: number): Floats[] | undefined;
  setData(slot: number, data: Floats): void;
  setGrad(slot: number, grad: Floats | null): void;
  /**
   * Reads these options at each step, and reports there: structs as `step-options.ts` lays them
   * out. Without a call steps do nothing beside their rule.
   */
  setOptions(options: Doubles, report: Doubles): void;
  /**
   * Steps `average`, a core of the same backend, with every step that moves this one, in the same
   * pass over memory, where its slots' gradients are the data of all slots here; else it is left
   * alone. Null ends it. The portable backend has one pass for each.
   */
  follow(average: Core | null): void;
  /**
   * Refuses arrays that came since the last step and overlap, and, for somebody who is about to
   * write them, those that an asynchronous step is working on.
   */
  verifyMemory(writing: boolean): Failure | undefined;
  /** Steps every slot that has a gradient; on failure nothing has changed. */
  step(): Failure | undefined;
  /**
   * The same on another thread, while every other call is refused; all memory is shared. Gives
   * false if `cancelStep` came before a thread had begun. The portable backend steps at once.
   */
  stepAsync(): Promise<Failure | undefined | false>;
  cancelStep(): void;
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

export interface Backend extends GradientFunctions, Placement {
  readonly name: BackendName;
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
   * Steps several cores of this backend as one; no two may be the same. The failure of any, with
   * its place in the list, changes nothing.
   */
  stepAll(cores: readonly Core[]): (Failure & { readonly core: number }) | undefined;
  /**
   * Makes an empty core for an update rule whose hyperparameters are laid out as `fields`, and
   * what it remembers of a parameter beside its arrays as `record`.
   */
  open(rule: string, fields: readonly string[], record: readonly string[]): Core;
}
