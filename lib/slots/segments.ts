/**
 * The two passes before a step over neighbouring slots that are checked alike: those of one arena,
 * or any. What a step reads of every parameter lies in arrays of its own here: ten thousand small
 * models are bound by how much of memory they touch.
 */

import { ARRAYS_AT_ONCE, type ArrayPairs } from '../backend/backend.ts';
import type { ArenaSlot } from '../parameters/arena-parameter.ts';
import { checkFrozen, type ParameterLike } from '../parameters/parameter.ts';
import { roomForOne } from '../support/lists.ts';
import { type Floats, isElastic, isWhole } from '../support/typed-arrays.ts';
import type { Slot } from './slot.ts';

/** The table that a segment belongs to. */
export interface SegmentOwner {
  readonly rows: readonly Readonly<Slot>[];
  /** Registers arrays that parameters have now, all or none: a slot, its array, the next slot, … */
  rebind(field: 'data' | 'grad', pairs: ArrayPairs): void;
  /** The same for a gradient of an arena, which is what it should be. */
  rebindGrad(slot: number, grad: Floats | null): void;
  /** The error for an array whose memory was taken away. */
  gone(slot: number, field: 'data' | 'grad'): Error;
}

interface Segment {
  /** Its first slot. */
  readonly begin: number;
  /** Takes the next slot in, if it is of its kind. */
  take(row: Slot): boolean;
  /**
   * First pass: reads every `data` and `grad` once, which may run users' getters, and registers
   * what has changed. What is frozen has no gradient, unless `frozenToo` asks for it.
   */
  refresh(frozenToo: boolean): void;
  /** Whether all of its parameters were frozen then. */
  readonly allFrozen: boolean;
  /** Second pass, which runs no code of a user: every registered array is still there. */
  verify(): void;
  /** A group's slots were frozen or let go. */
  freeze(slot: number, frozen: boolean): void;
  /** Lets one of its slots be another, if that is of its kind. */
  put(slot: number, row: Slot): boolean;
  /** Lets go of the slots from here on. */
  endAt(slot: number): void;
}

/** Arrays of users: any of them may be another, or gone, at the next step. */
class LooseSegment implements Segment {
  readonly #owner: SegmentOwner;
  readonly begin: number;
  readonly #params: ParameterLike[] = roomForOne();
  readonly #data: Floats[] = roomForOne();
  readonly #grads: (Floats | null)[] = roomForOne();
  /** The place of each last element, by which an array that is gone is known; -1: none. */
  readonly #last: number[] = roomForOne();
  readonly #frozen: boolean[] = roomForOne();
  /** Those that have no last element. */
  #empty: number[] | undefined;
  /** Whether one of these arrays has been over a buffer that grows. */
  #mayGrow = false;
  allFrozen = true;

  constructor(owner: SegmentOwner, begin: number) {
    this.#owner = owner;
    this.begin = begin;
  }

  take(row: Slot): boolean {
    if (row.place !== undefined) return false;
    this.#params.push(row.parameter);
    this.#data.push(row.data);
    this.#grads.push(row.grad);
    this.#last.push(row.length - 1);
    this.#frozen.push(row.frozen);
    if (row.length === 0) this.#addEmpty(this.#params.length - 1);
    this.#watch(row.data);
    this.#watch(row.grad);
    return true;
  }

  #watch(array: Floats | null): void {
    this.#mayGrow ||= array !== null && isElastic(array);
  }

  #addEmpty(i: number): void {
    this.#empty ??= [];
    this.#empty.push(i);
  }

  refresh(frozenToo: boolean): void {
    const [params, data, grads, frozen] = [this.#params, this.#data, this.#grads, this.#frozen];
    let allFrozen = true;
    let newData: (number | Floats)[] | undefined; // most steps bring none
    let newGrads: (number | Floats | null)[] | undefined;
    for (let i = 0; i < params.length; i++) {
      const parameter = params[i]!;
      const array = parameter.data;
      if (array !== data[i]) {
        newData ??= [];
        newData.push(this.begin + i, array);
      }
      const own = parameter.frozen;
      const still = frozen[i]! || (own !== undefined && own !== false && this.#check(i, own));
      const grad = still && !frozenToo ? null : (parameter.grad ?? null);
      if (grad !== grads[i]) {
        newGrads ??= [];
        newGrads.push(this.begin + i, grad);
      }
      allFrozen &&= still;
    }
    this.allFrozen = allFrozen;
    if (newData !== undefined) this.#rebind('data', newData, data);
    if (newGrads !== undefined) this.#rebind('grad', newGrads, grads);
  }

  #rebind(field: 'data' | 'grad', pairs: ArrayPairs, known: (Floats | null)[]): void {
    for (let first = 0; first < pairs.length; first += 2 * ARRAYS_AT_ONCE) {
      const isAll = pairs.length <= 2 * ARRAYS_AT_ONCE;
      const some = isAll ? pairs : pairs.slice(first, first + 2 * ARRAYS_AT_ONCE);
      // All of these or none: what the core has, is known here.
      this.#owner.rebind(field, some);
      for (let at = 0; at < some.length; at += 2) {
        const array = some[at + 1] as Floats | null;
        known[(some[at] as number) - this.begin] = array;
        this.#watch(array);
      }
    }
  }

  #check(i: number, frozen: unknown): boolean {
    return checkFrozen(frozen, this.#owner.rows[this.begin + i]!.label);
  }

  /**
   * Asks for the last element, which is undefined if the buffer was detached or has shrunk. Nothing
   * is iterated here, which would be code of a user who has replaced what arrays do.
   */
  verify(): void {
    const data = this.#data;
    const grads = this.#grads;
    const last = this.#last;
    for (let i = 0; i < last.length; i++) {
      const at = last[i]!;
      if (at < 0) continue;
      if (data[i]![at] === undefined) throw this.#owner.gone(this.begin + i, 'data');
      const grad = grads[i]!;
      if (grad !== null && grad[at] === undefined) throw this.#owner.gone(this.begin + i, 'grad');
    }
    if (this.#mayGrow) this.#verifyGrown();
    if (this.#empty !== undefined) this.#verifyEmpty(this.#empty);
  }

  /** The element behind the last one is there if the buffer has grown; to ask always costs 2 ns. */
  #verifyGrown(): void {
    for (let i = 0; i < this.#last.length; i++) {
      const behind = this.#last[i]! + 1;
      if (behind === 0) continue;
      if (this.#data[i]![behind] !== undefined) throw this.#owner.gone(this.begin + i, 'data');
      const grad = this.#grads[i]!;
      if (grad !== null && grad[behind] !== undefined)
        throw this.#owner.gone(this.begin + i, 'grad');
    }
  }

  #verifyEmpty(empty: readonly number[]): void {
    for (let k = 0; k < empty.length; k++) {
      const i = empty[k]!;
      const grad = this.#grads[i]!;
      if (!isWhole(this.#data[i]!, 0)) throw this.#owner.gone(this.begin + i, 'data');
      if (grad !== null && !isWhole(grad, 0)) throw this.#owner.gone(this.begin + i, 'grad');
    }
  }

  freeze(slot: number, frozen: boolean): void {
    const i = slot - this.begin;
    if (i >= 0 && i < this.#frozen.length) this.#frozen[i] = frozen;
  }

  put(slot: number, row: Slot): boolean {
    if (row.place !== undefined) return false;
    const i = slot - this.begin;
    this.#params[i] = row.parameter;
    this.#data[i] = row.data;
    this.#grads[i] = row.grad;
    this.#last[i] = row.length - 1;
    this.#frozen[i] = row.frozen;
    this.#empty = this.#empty?.filter((other) => other !== i);
    if (row.length === 0) this.#addEmpty(i);
    this.#watch(row.data);
    this.#watch(row.grad);
    return true;
  }

  endAt(slot: number): void {
    const length = slot - this.begin;
    const lists = [this.#params, this.#data, this.#grads, this.#last, this.#frozen];
    for (const list of lists) list.length = length;
    this.#empty = this.#empty?.filter((i) => i < length);
  }
}

/** An arena in shared memory: its data stays, its gradients come and go, and it counts how often. */
class ArenaSegment implements Segment {
  readonly #owner: SegmentOwner;
  readonly begin: number;
  readonly #rows: Slot[] = roomForOne();
  readonly #changes: ArenaSlot['changes'];
  /** How far it has followed that count. */
  #seen = -1;

  constructor(owner: SegmentOwner, begin: number, { changes }: ArenaSlot) {
    this.#owner = owner;
    this.begin = begin;
    this.#changes = changes;
  }

  take(row: Slot): boolean {
    if (row.place?.changes !== this.#changes) return false;
    this.#rows.push(row);
    this.#seen = -1;
    return true;
  }

  refresh(frozenToo: boolean): void {
    const { count } = this.#changes;
    if (this.#seen === count && !frozenToo) return;
    for (let i = 0; i < this.#rows.length; i++) {
      const row = this.#rows[i]!;
      const { grad, hasGrad, frozen } = row.place!;
      const present = hasGrad && (frozenToo || !(frozen || row.frozen)) ? grad : null;
      if (present !== row.grad) this.#owner.rebindGrad(this.begin + i, present);
    }
    this.#seen = frozenToo ? -1 : count;
  }

  get allFrozen(): boolean {
    return this.#rows.every(({ frozen, place }) => frozen || place!.frozen);
  }

  /** Nobody can take its memory away. */
  verify(): void {}

  freeze(): void {
    this.#seen = -1;
  }

  put(slot: number, row: Slot): boolean {
    if (row.place?.changes !== this.#changes) return false;
    this.#rows[slot - this.begin] = row;
    this.#seen = -1;
    return true;
  }

  endAt(slot: number): void {
    this.#rows.length = slot - this.begin;
  }
}

/** The slots of a table, in segments. */
export class Segments {
  readonly #owner: SegmentOwner;
  readonly #list: Segment[] = roomForOne();

  constructor(owner: SegmentOwner) {
    this.#owner = owner;
  }

  /** Takes the next slot in. */
  take(slot: number, row: Slot): void {
    if (this.#list.at(-1)?.take(row)) return;
    const segment =
      row.place === undefined
        ? new LooseSegment(this.#owner, slot)
        : new ArenaSegment(this.#owner, slot, row.place);
    segment.take(row);
    this.#list.push(segment);
  }

  /** One of the rows is another. */
  replace(slot: number, rows: readonly Slot[]): void {
    const mine = this.#list.findLast((segment) => segment.begin <= slot);
    if (!mine?.put(slot, rows[slot]!)) this.cut(slot, rows);
  }

  /** The rows are others from `first` on. */
  cut(first: number, rows: readonly Slot[]): void {
    const list = this.#list;
    while (list.length > 0 && list.at(-1)!.begin >= first) list.pop();
    list.at(-1)?.endAt(first);
    for (let slot = first; slot < rows.length; slot++) this.take(slot, rows[slot]!);
  }

  refresh(frozenToo: boolean): void {
    for (let i = 0; i < this.#list.length; i++) this.#list[i]!.refresh(frozenToo);
  }

  /** By index: no iterator of a user may run here. */
  verify(): void {
    for (let i = 0; i < this.#list.length; i++) this.#list[i]!.verify();
  }

  freeze(slot: number, frozen: boolean): void {
    for (const segment of this.#list) segment.freeze(slot, frozen);
  }

  get allFrozen(): boolean {
    return this.#list.every((segment) => segment.allFrozen);
  }

  /** Those of arenas alone, whose parameters run no code of a user. */
  refreshArenas(): void {
    for (const segment of this.#list) {
      if (segment instanceof ArenaSegment) segment.refresh(false);
    }
  }
}
