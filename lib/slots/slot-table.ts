/**
 * The parameters as the core knows them: which arrays are registered for each, kept alive here,
 * and the proof before every step that they are still those and still there.
 */

import type { ArrayPairs, Backend, Core, Failure } from '../backend/backend.ts';
import { type ParamList, refuseDuplicates } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import type { GradstepError } from '../support/errors.ts';
import { roomForOne, takeOut } from '../support/lists.ts';
import { bufferOf, type Doubles, type Floats, isGone, lengthOf } from '../support/typed-arrays.ts';
import { explain } from './failures.ts';
import { describeRow, makeRows, type NewGroup, ownLines, verifyShared, zeroGrads } from './rows.ts';
import { type SegmentOwner, Segments } from './segments.ts';
import { labelOf, type Shaping, type Slot } from './slot.ts';

/** From how many floats on it matters that a refused group has not been given state. */
const LARGE = 4096;

/** A slot, or one that may come. */
type Labelled = Pick<Slot, 'data' | 'label'>;

/** One row per parameter. */
export class SlotTable implements SegmentOwner {
  readonly indexOf: Map<ParameterLike, number> = new Map();
  readonly core: Core;
  readonly #slots: Slot[] = roomForOne();
  readonly #segments = new Segments(this);
  #changes = 0;
  #gradientCount = 0;

  /** @param memory What the core borrows beside the parameters' arrays; kept alive here. */
  constructor(
    core: Core,
    readonly backend: Backend,
    readonly memory: object,
  ) {
    this.core = core;
  }

  get size(): number {
    return this.#slots.length;
  }

  get rows(): readonly Readonly<Slot>[] {
    return this.#slots;
  }

  /** Grows with every array of data that is registered. */
  get changes(): number {
    return this.#changes;
  }

  /** How many parameters had a gradient when they were last looked at. */
  get gradientCount(): number {
    return this.#gradientCount;
  }

  /** Whether all were frozen then. */
  get allFrozen(): boolean {
    return this.#segments.allFrozen;
  }

  /** How often a parameter has been stepped (SGD: how often its momentum has). */
  stepOf(slot: number): number {
    return this.#slots[slot]!.step;
  }

  /** Refuses parameters that are here already, or twice among the given. */
  refuse(params: readonly ParameterLike[]): void {
    refuseDuplicates(params, this.indexOf, (slot) => this.#slots[slot]!.label);
  }

  /** Refuses large arrays in others' memory before they are given state; small ones wait for `add`. */
  refuseLarge({ data, labels }: ParamList, group: number): void {
    let size = 0;
    for (const array of data) size += lengthOf(array);
    if (size < LARGE) return;
    this.refuseOverlap(
      data.map((array, i) => ({ data: array, label: labelOf(labels[i], i, group) })),
    );
  }

  /** Refuses arrays that overlap with each other or with memory that is here. */
  refuseOverlap(rows: readonly Labelled[]): void {
    const data = rows.map((row) => row.data);
    this.#attempt(() => this.core.findOverlap(data), rows);
  }

  /**
   * Adds a group's parameters, which `refuse` has let pass. Runs no code of a user.
   *
   * @throws {GradstepError} `ERR_OVERLAP` when they share memory; nothing has changed then.
   */
  add(
    { params, data, labels }: ParamList,
    { group, struct, records, frozen, shapings }: NewGroup,
  ): void {
    const first = this.#slots.length;
    const rows = makeRows({ params, data, labels }, { group, records, frozen, shapings }, 0);
    this.#attempt(() => this.core.addGroup(struct, records, data), rows);
    this.#changes += 1;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      this.#slots.push(row);
      this.indexOf.set(row.parameter, first + i);
      this.#segments.take(first + i, row);
      describeRow(this.core, first + i, row);
    }
    ownLines(this.core, this.#slots, first);
  }

  /**
   * The same for a group that stands: the first comes before the slot `first`.
   * @param index How many the group has.
   */
  insert(first: number, list: ParamList, joined: NewGroup, index: number): void {
    const { group, struct, records } = joined;
    const rows = makeRows(list, joined, index);
    const { data } = list;
    this.#attempt(() => this.core.insertSlots(first, group, struct, records, data), rows);
    this.#changes += 1;
    const slots = this.#slots;
    const behind = slots.splice(first);
    for (const part of [rows, behind]) for (const row of part) slots.push(row);
    for (let slot = first; slot < slots.length; slot++) {
      this.indexOf.set(slots[slot]!.parameter, slot);
    }
    for (const [i, row] of rows.entries()) describeRow(this.core, first + i, row);
    this.#segments.cut(first, slots);
    ownLines(this.core, this.#slots, first);
  }

  /** Lets a slot have its hyperparameters and its record where its group has not. */
  setSlot(slot: number, struct: Doubles, record: Doubles): void {
    this.core.setSlot(slot, struct, record);
    this.#slots[slot]!.record = record;
  }

  /** Freezes a group's slots or lets them move again; the next `refresh` tells the core. */
  freeze(slots: readonly number[], frozen: boolean): void {
    for (const slot of slots) {
      this.#slots[slot]!.frozen = frozen;
      this.#segments.freeze(slot, frozen);
    }
  }

  /** Lets slots go, given in increasing order; those behind them move up. */
  remove(gone: readonly number[]): void {
    this.core.removeSlots(Float64Array.from(gone));
    const slots = this.#slots;
    for (const slot of gone) {
      this.indexOf.delete(slots[slot]!.parameter);
      this.#gradientCount -= Number(slots[slot]!.grad !== null);
    }
    takeOut(slots, gone);
    for (let slot = gone[0]!; slot < slots.length; slot++) {
      const [row, before] = [slots[slot]!, slots[slot - 1]];
      row.index = row.group === before?.group ? before.index + 1 : 0;
      this.indexOf.set(row.parameter, slot);
    }
    this.#segments.cut(gone[0]!, slots);
    this.#changes += 1;
  }

  /**
   * Lets a parameter have the place of another, with its record, without gradient and state.
   *
   * @throws {GradstepError} `ERR_DUPLICATE_PARAMETER`, `ERR_OVERLAP`; nothing has changed then.
   */
  replace(
    slot: number,
    parameter: ParameterLike,
    data: Floats,
    name: string | undefined,
    shaping: Shaping | undefined,
  ): void {
    const old = this.#slots[slot]!;
    if (parameter !== old.parameter) this.refuse([parameter]);
    bufferOf(data); // moves a tiny array to where it stays
    const row = old.successor(parameter, data, name, shaping);
    this.#attempt(() => this.core.replaceSlot(slot, data), [row]);
    old.record = old.record.slice(); // for views of it that a user holds
    this.#slots[slot] = row;
    this.#gradientCount -= Number(old.grad !== null);
    describeRow(this.core, slot, row);
    this.indexOf.delete(old.parameter);
    this.indexOf.set(parameter, slot);
    this.#segments.replace(slot, this.#slots);
    if (row.place !== undefined) this.core.ownLines(slot, slot + 1);
    this.#changes += 1;
  }

  /**
   * First pass before a step: reads every `data` and `grad` once, which may run users' getters,
   * and registers what has changed. What is frozen has no gradient.
   * @param frozenToo Registers those gradients too, until the next call.
   */
  refresh(frozenToo = false): void {
    this.#segments.refresh(frozenToo);
  }

  /** The same for arenas alone, which runs no code of a user. */
  refreshArenas(): void {
    this.#segments.refreshArenas();
  }

  /**
   * Second pass, with no user's code before the core runs, not even a patched iterator's: every
   * registered array is still there.
   */
  verify(): void {
    this.#segments.verify();
  }

  /** Refuses arrays that overlap; with `verify` before it, a step can then write. */
  verifyOverlap(writing = false): void {
    this.#attempt(() => this.core.verifyMemory(writing));
  }

  /** Steps what `refresh` and `verify` have let pass. A failure has changed nothing. */
  step(): void {
    const failure = this.core.step();
    if (failure === undefined) return;
    // Perhaps only a claim on memory that is long gone: then the step succeeds at once.
    this.#attempt(() => this.core.verifyMemory(false));
    this.verify();
    const again = this.core.step();
    if (again !== undefined) throw this.explain(again);
  }

  /**
   * Before an asynchronous step: no array can go away while it runs.
   *
   * @throws {GradstepError} `ERR_NOT_SHARED`.
   */
  verifyShared(): void {
    verifyShared(this.#slots);
  }

  /** Zeros in every gradient that a step has just read; those that are gone by now are nobody's. */
  zeroGrads(): void {
    zeroGrads(this.#slots);
  }

  /**
   * Asks the core until it succeeds or a living array is in the way: memory that was transferred
   * away and given out again is still claimed for its first owner.
   */
  #attempt(ask: () => Failure | undefined, added: readonly Labelled[] = []): void {
    for (let failure = ask(); failure !== undefined; failure = ask()) {
      const owner = this.#slots[failure.other];
      if (owner === undefined || owner.place !== undefined || !isGone(owner.data)) {
        throw this.explain(failure, added);
      }
      this.core.releaseData(failure.other);
    }
  }

  rebind(field: 'data' | 'grad', pairs: ArrayPairs): void {
    const bad = this.core.setArrays(field, pairs);
    if (bad !== undefined) {
      const slot = pairs[2 * bad] as number;
      this.check(slot, field, pairs[2 * bad + 1]);
      throw this.gone(slot, field);
    }
    if (field === 'data') this.#changes += 1;
    for (let at = 0; at < pairs.length; at += 2) {
      const row = this.#slots[pairs[at] as number]!;
      const array = pairs[at + 1] as Floats | null;
      if (field === 'data') row.data = array!;
      else this.#setGrad(row, array);
    }
  }

  rebindGrad(slot: number, grad: Floats | null): void {
    const row = this.#slots[slot]!;
    this.core.setGrad(slot, grad, grad !== null && grad === row.place?.grad);
    this.#setGrad(row, grad);
  }

  #setGrad(row: Slot, grad: Floats | null): void {
    this.#gradientCount += Number(grad !== null) - Number(row.grad !== null);
    row.grad = grad;
  }

  /** Refuses what cannot be the data or the gradient of this slot. */
  check(slot: number, field: 'data' | 'grad', array: unknown): void {
    this.#slots[slot]!.check(field, array);
  }

  gone(slot: number, field: 'data' | 'grad'): GradstepError {
    return this.#slots[slot]!.gone(field);
  }

  /** A failure of the core as an error; `added` are slots that are not here yet. */
  explain(failure: Failure, added: readonly Labelled[] = []): GradstepError {
    return explain(failure, (slot) => (this.#slots[slot] ?? added[slot - this.size])!.label);
  }
}
