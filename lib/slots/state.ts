/** The state of an optimizer: arrays per parameter, made when an option first needs them. */

import type { Core } from '../backend/backend.ts';
import { wholeLines } from '../memory/slab.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { inspectCustom } from '../support/describe.ts';
import { openUp, takeOut } from '../support/lists.ts';
import { readOnlyFields, refuseWrites } from '../support/read-only.ts';
import { type Floats, lengthOf, viewOf } from '../support/typed-arrays.ts';
import type { OptimizerMemory, StateArrays } from './optimizer-memory.ts';
import type { Shaping, Slot } from './slot.ts';
import type { SlotTable } from './slot-table.ts';
import { Kind, type Layout, type PlacedBlock } from './state-kind.ts';
import type { Status } from './status.ts';

/** The state of one parameter: live views, which the next step writes. */
export type ParameterState = Readonly<Record<string, Floats | number>>;

/** What the state needs to know of a schema. */
interface StateSchema {
  readonly state: readonly { readonly name: string }[];
  readonly counted: boolean;
  readonly record: readonly string[];
}

/** Parameters that get state. */
export interface StatedData {
  readonly data: readonly Floats[];
  /** Of those that come, where the rule sees shapes. */
  readonly shapings: readonly Shaping[] | undefined;
}

/** For what is handed to the core: pairs of a slot and where its array begins. */
let places = new Float64Array(64);

/**
 * `optimizer.state`: a read-only Map from parameter to its state. A parameter has none before
 * its first step, as in torch.
 */
export class StateMap<S = ParameterState> implements ReadonlyMap<ParameterLike, S> {
  readonly #schema: StateSchema;
  readonly #slots: SlotTable;
  readonly #status: Status;
  /** By position in the schema's list. */
  readonly #kinds: readonly Kind[];
  #views: (S | undefined)[] = [];

  constructor(schema: StateSchema, slots: SlotTable, status: Status) {
    this.#schema = schema;
    this.#slots = slots;
    this.#status = status;
    this.#kinds = schema.state.map(() => new Kind());
  }

  /**
   * Allocates what is missing of the given state arrays for slots from `first` on, with this data.
   * Only calling the result registers them; it cannot fail.
   * @internal
   */
  allocate(
    which: readonly number[],
    first: number,
    { data, shapings }: StatedData,
    owned: OptimizerMemory,
    core: Core,
    isNew: boolean = first >= this.#slots.size,
  ): () => void {
    const blocks: PlacedBlock[] = [];
    let shared: Layout | undefined;
    for (const [i, k] of which.entries()) {
      const isShared = isNew && shared !== undefined && shapings === undefined;
      if (!isShared) shared = this.#layOut(k, isNew ? -1 : first, { data, shapings }, owned);
      const layout = shared!;
      if (layout.begins.every((begin) => begin < 0)) continue; // all are there
      blocks.push({ k, ...layout, ...owned.block(k, layout.size, which.length - i, data[0]!) });
    }
    if (places.length < 2 * data.length) places = new Float64Array(2 * data.length);
    return () => {
      if (!isNew) this.#settleKinds(which, first, data.length);
      for (const block of blocks) this.#register(core, first, block);
    };
  }

  /**
   * Where arrays of a kind begin in a block that is cut at cache lines, as an arena is; -1 for those
   * that are there. A long array begins as far past a line as its data, so that both meet the next
   * line at once.
   * @param first -1: none of these slots is there yet.
   */
  #layOut(
    k: number,
    first: number,
    { data, shapings }: StatedData,
    owned: OptimizerMemory,
  ): Layout {
    const begins: number[] = [];
    let size = 0;
    for (let i = 0; i < data.length; i++) {
      // By the slot, where there is one: registered data may have been taken away.
      const row = first < 0 ? undefined : this.#slots.rows[first + i];
      const coming = shapings?.[i]?.stateLengths[k] ?? lengthOf(data[i]!);
      const length = row?.stateLength(k) ?? coming;
      if ((first >= 0 && this.#kinds[k]!.hasMemory(first + i)) || length < 0) {
        begins.push(-1);
        continue;
      }
      const head = owned.headOf(data[i]!);
      begins.push(size + head);
      size += wholeLines(head + length);
    }
    return { begins, size };
  }

  #register(core: Core, first: number, { k, memory, begin, begins }: PlacedBlock): void {
    const kind = this.#kinds[k]!;
    let count = 0;
    for (let i = 0; i < begins.length; i++) {
      if (begins[i]! < 0) continue;
      places[2 * count] = first + i;
      places[2 * count + 1] = begin + begins[i]!;
      count += 1;
    }
    const arrays = core.setStates(k, memory, places, count);
    for (let i = 0; i < count; i++) {
      const slot = places[2 * i]!;
      if (slot < this.#views.length) this.#views[slot] = undefined;
      if (arrays === undefined) kind.set(slot, memory, places[2 * i + 1]!);
      else kind.set(slot, arrays[i]!, -1);
    }
  }

  /**
   * What waits is state again where an option calls for it; what one called for that was switched
   * off before the first step was never state, and waits.
   */
  #settleKinds(which: readonly number[], first: number, count: number): void {
    for (const [k, kind] of this.#kinds.entries()) {
      const isCalledFor = which.includes(k);
      for (let slot = first; slot < first + count; slot++) {
        if (isCalledFor) kind.revive(slot, this.#slots.rows[slot]!.stateLength(k));
        else if (this.#slots.stepOf(slot) > 0) continue;
        else kind.drop(slot);
        this.#views[slot] = undefined;
      }
    }
  }

  /** The arrays of a slot that there are. @internal */
  arraysOf(slot: number): StateArrays {
    const row = this.#slots.rows[slot]!;
    return this.#kinds.map((kind, k) => kind.get(slot, row.stateLength(k)));
  }

  /** A slot has these kinds and no others from now on. @internal */
  keep(slot: number, which: readonly number[]): void {
    for (const [k, kind] of this.#kinds.entries()) if (!which.includes(k)) kind.drop(slot);
    this.#views[slot] = undefined;
  }

  /** Zeros for all state of a slot. @internal */
  fillZero(slot: number): void {
    const row = this.#slots.rows[slot]!;
    for (const [k, kind] of this.#kinds.entries()) kind.fillZero(slot, row.stateLength(k));
  }

  /** Which kinds a slot has. @internal */
  kindsOf(slot: number): number[] {
    const row = this.#slots.rows[slot]!;
    return [...this.#kinds.keys()].filter((k) => {
      return this.#kinds[k]!.peek(slot, row.stateLength(k)) !== undefined;
    });
  }

  /**
   * Memory for these kinds of state of a slot whose data will be another array: zeros, into which
   * `gather` may write what the new state has of the old. Calling the result, once the slot is of
   * the new length, puts it in place of all that the slot has; it cannot fail.
   * @internal
   */
  renew(
    slot: number,
    which: readonly number[],
    { data, shaping }: { readonly data: Floats; readonly shaping: Shaping | undefined },
    owned: OptimizerMemory,
    core: Core,
    gather?: (from: Floats, to: Floats) => void,
  ): () => void {
    const row = this.#slots.rows[slot]!;
    const lengthBy = (k: number) => shaping?.stateLengths[k] ?? lengthOf(data);
    const kinds = which.filter((k) => lengthBy(k) >= 0);
    const blocks = kinds.map((k): PlacedBlock => {
      const head = owned.headOf(data);
      const size = head + lengthBy(k);
      const { memory, begin } = owned.block(k, size, 1, data);
      const before = this.#kinds[k]!.peek(slot, row.stateLength(k));
      if (before !== undefined) gather?.(before, viewOf(memory, begin + head, lengthBy(k)));
      return { k, memory, begin, begins: [head], size };
    });
    return () => {
      this.#free(slot, row, owned);
      for (const kind of this.#kinds) kind.clear(slot);
      for (const block of blocks) this.#register(core, slot, block);
    };
  }

  /** Tells the core again where the state of a slot lies. @internal */
  reattach(slot: number, core: Core): void {
    this.#views[slot] = undefined;
    for (const [k, kind] of this.#kinds.entries()) {
      const block = kind.memoryOf(slot);
      if (block === undefined) continue;
      places[0] = slot;
      places[1] = block.begin;
      core.setStates(k, block.memory, places, 1);
    }
  }

  /** Slots without state come before this one. @internal */
  insert(first: number, count: number): void {
    for (const kind of this.#kinds) kind.insert(first, count);
    openUp(this.#views, first, count);
  }

  /** These slots have gone, with their state; they were in these rows. @internal */
  remove(slots: readonly number[], rows: readonly Readonly<Slot>[], owned: OptimizerMemory): void {
    for (let i = 0; i < slots.length; i++) this.#free(slots[i]!, rows[i]!, owned);
    for (const kind of this.#kinds) kind.remove(slots);
    takeOut(this.#views, slots);
  }

  #free(slot: number, row: Readonly<Slot>, owned: OptimizerMemory): void {
    for (const [k, kind] of this.#kinds.entries()) {
      const block = kind.memoryOf(slot);
      if (block !== undefined) owned.free(k, block, row.stateLength(k), block.isHeld);
    }
  }

  /** Gives all memory back: the optimizer has been disposed of. @internal */
  release(owned: OptimizerMemory): void {
    const held = new Set<ArrayBufferLike>();
    for (const kind of this.#kinds) kind.addHeld(held);
    owned.release(held);
    for (const kind of this.#kinds) kind.clearAll();
    this.#views = [];
  }
  get size(): number {
    let size = 0;
    for (const _ of this.keys()) size += 1;
    return size;
  }

  has(parameter: ParameterLike): boolean {
    this.#status.assertReadable('state.has');
    const slot = this.#slots.indexOf.get(parameter);
    return slot !== undefined && this.#slots.stepOf(slot) > 0;
  }

  /** @throws {GradstepError} `ERR_BUSY` while an asynchronous step is under way, `ERR_DISPOSED`. */
  get(parameter: ParameterLike): S | undefined {
    this.#status.assertReadable('state.get');
    const slot = this.#slots.indexOf.get(parameter);
    if (slot === undefined || this.#slots.stepOf(slot) === 0) return undefined;
    this.#views[slot] ??= this.#view(slot);
    return this.#views[slot];
  }

  #view(slot: number): S {
    const view = {};
    const show = (name: string, read: () => unknown, instead: string) =>
      Object.defineProperties(view, readOnlyFields({ [name]: [read, instead] }));
    const row = this.#slots.rows[slot]!;
    this.#schema.record.forEach((name, at) => {
      if (at === 0 && !this.#schema.counted) return;
      show(name, () => row.recordAt(at), 'it counts by itself');
    });
    this.#schema.state.forEach(({ name }, k) => {
      const value = this.#kinds[k]!.get(slot, row.stateLength(k));
      if (value !== undefined) show(name, () => value, 'write into it, with set() or fill()');
    });
    const shown = { value: () => ({ ...view }) }; // the step's value, not its getter
    return Object.freeze(Object.defineProperty(view, inspectCustom, shown)) as S;
  }

  *keys(): MapIterator<ParameterLike> {
    this.#status.assertReadable('state');
    for (let slot = 0; slot < this.#slots.size; slot++) {
      const parameter = this.#slots.rows[slot]!.parameter;
      if (this.has(parameter)) yield parameter;
    }
  }

  *values(): MapIterator<S> {
    for (const parameter of this.keys()) yield this.get(parameter)!;
  }

  *entries(): MapIterator<[ParameterLike, S]> {
    for (const parameter of this.keys()) yield [parameter, this.get(parameter)!];
  }

  [Symbol.iterator](): MapIterator<[ParameterLike, S]> {
    return this.entries();
  }

  forEach(
    callback: (state: S, parameter: ParameterLike, map: ReadonlyMap<ParameterLike, S>) => void,
    thisArg?: unknown,
  ): void {
    for (const [parameter, state] of this.entries()) callback.call(thisArg, state, parameter, this);
  }

  /** What `console.log` shows in Node.js. */
  [inspectCustom](
    _depth: number,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ): string {
    return inspect(this.#status.disposed ? new Map() : new Map(this), options);
  }
}

refuseWrites(StateMap.prototype);
