/** One kind of state of all slots of an optimizer. */

import type { Block } from '../memory/slab.ts';
import { openUp, roomForOne, takeOut } from '../support/lists.ts';
import { bufferOf, type Floats, fillZero, viewOf } from '../support/typed-arrays.ts';

/** Where arrays begin in a block of this size; both in floats. */
export interface Layout {
  readonly begins: readonly number[];
  readonly size: number;
}

/** New memory for one kind of state, not registered yet. */
export interface PlacedBlock extends Layout, Block {
  readonly k: number;
}

/**
 * Where each slot's array lies, until somebody asks for the array itself. Ten thousand small
 * models have a hundred thousand of them, which nobody may ever look at.
 */
export class Kind {
  /** By slot: the array, or the memory in which it lies. */
  #memory: (Floats | undefined)[] = roomForOne();
  /** By slot: where the array begins; -1 when it is all of its memory. */
  #begins: number[] = roomForOne();
  /** By slot: whether its memory waits, and is no state; undefined if none does. */
  #waits: boolean[] | undefined;

  /** Whether a slot has memory, be it state or not. */
  hasMemory(slot: number): boolean {
    return this.#memory[slot] !== undefined;
  }

  set(slot: number, memory: Floats, begin: number): void {
    this.#memory[slot] = memory;
    this.#begins[slot] = begin;
    if (this.#waits?.[slot]) this.#waits[slot] = false;
  }

  /** The state of a slot, if it has this kind; the same array each time, which may be kept. */
  get(slot: number, length: number): Floats | undefined {
    const array = this.peek(slot, length);
    if (array !== undefined) this.set(slot, array, -1);
    return array;
  }

  /** The same, for those who keep no array. */
  peek(slot: number, length: number): Floats | undefined {
    const memory = this.#waits?.[slot] ? undefined : this.#memory[slot];
    const begin = this.#begins[slot]!;
    return memory === undefined || begin < 0 ? memory : viewOf(memory, begin, length);
  }

  /** The slot has no such state any more; its memory waits until it has again. */
  drop(slot: number): void {
    if (!this.hasMemory(slot)) return;
    this.#waits ??= [];
    this.#waits[slot] = true;
  }

  /** Memory that waits is state from now on: zeros. */
  revive(slot: number, length: number): void {
    if (!this.#waits?.[slot]) return;
    this.#waits[slot] = false;
    this.fillZero(slot, length);
  }

  /** Zeros for the state of a slot, if it has this kind. */
  fillZero(slot: number, length: number): void {
    const memory = this.#waits?.[slot] ? undefined : this.#memory[slot];
    const begin = Math.max(this.#begins[slot]!, 0);
    if (memory !== undefined) fillZero(memory, begin, begin + length);
  }

  /** The memory of a slot, if any, and whether it was given out as an array. */
  memoryOf(slot: number): (Block & { readonly isHeld: boolean }) | undefined {
    const memory = this.#memory[slot];
    const begin = this.#begins[slot]!;
    return memory && { memory, begin: Math.max(begin, 0), isHeld: begin < 0 };
  }

  /** Puts the buffers of all arrays that were given out into a set. */
  addHeld(buffers: Set<ArrayBufferLike>): void {
    const begins = this.#begins;
    for (let slot = 0; slot < begins.length; slot++) {
      const memory = begins[slot]! < 0 ? this.#memory[slot] : undefined;
      if (memory !== undefined) buffers.add(bufferOf(memory));
    }
  }

  /** The slot has none of it. */
  clear(slot: number): void {
    if (this.hasMemory(slot)) this.#memory[slot] = undefined;
    if (this.#waits?.[slot]) this.#waits[slot] = false;
  }

  /** Slots come before this one, which moves up with all behind it. */
  insert(first: number, count: number): void {
    for (const list of [this.#memory, this.#begins, this.#waits ?? []]) openUp(list, first, count);
  }

  /** These slots have gone; those behind them move up. */
  remove(slots: readonly number[]): void {
    for (const list of [this.#memory, this.#begins, this.#waits ?? []]) takeOut(list, slots);
  }

  /** No slot has any. */
  clearAll(): void {
    [this.#memory, this.#begins, this.#waits] = [[], [], undefined];
  }
}
