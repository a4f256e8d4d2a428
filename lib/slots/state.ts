/** The state of an optimizer: arrays per parameter, made when an option first needs them. */

import type { Core } from '../backend/backend.ts';
import { type SlabAllocator, wholeLines } from '../memory/slab.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { inspectCustom } from '../support/describe.ts';
import { type Floats, lengthOf, viewOf } from '../support/typed-arrays.ts';
import type { OptimizerMemory, StateArrays } from './optimizer-memory.ts';
import type { Phases } from './phases.ts';
import type { SlotTable } from './slot-table.ts';

/** The state of one parameter: live views, which the next step writes. */
export type ParameterState = Readonly<Record<string, Floats | number>>;

/** Where arrays begin in a block of this size; both in floats. */
interface Layout {
  readonly begins: readonly number[];
  readonly size: number;
}

/** What the state needs to know of a schema. */
interface StateSchema {
  readonly state: readonly { readonly name: string }[];
  readonly counted: boolean;
  readonly record: readonly string[];
}

/**
 * One kind of state: where each slot's array lies, until somebody asks for the array itself. Ten
 * thousand small models have a hundred thousand of them, which nobody may ever look at.
 */
class Kind {
  /** By slot: the array, or the memory in which it lies. */
  #memory: (Floats | undefined)[] = [];
  /** By slot: where the array begins; -1 when it is all of its memory. */
  #begins: number[] = [];

  has(slot: number): boolean {
    return this.#memory[slot] !== undefined;
  }

  set(slot: number, memory: Floats, begin: number): void {
    this.#memory[slot] = memory;
    this.#begins[slot] = begin;
  }

  get(slot: number, length: number): Floats | undefined {
    const memory = this.#memory[slot];
    const begin = this.#begins[slot]!;
    if (memory === undefined || begin < 0) return memory;
    const array = viewOf(memory, begin, length);
    this.set(slot, array, -1);
    return array;
  }

  drop(slot: number): void {
    if (slot < this.#memory.length) this.#memory[slot] = undefined;
  }

  reset(arrays: (Floats | undefined)[]): void {
    this.#memory = arrays;
    this.#begins = arrays.map(() => -1);
  }
}

/**
 * `optimizer.state`: a read-only Map from parameter to its state. A parameter has none before
 * its first step, as in torch.
 */
export class StateMap<S = ParameterState> implements ReadonlyMap<ParameterLike, S> {
  readonly #schema: StateSchema;
  readonly #slots: SlotTable;
  readonly #phases: Phases;
  /** By position in the schema's list. */
  readonly #kinds: readonly Kind[];
  #views: (S | undefined)[] = [];
  /** For what is handed to the core. */
  #places = new Float64Array(64);

  constructor(schema: StateSchema, slots: SlotTable, phases: Phases) {
    this.#schema = schema;
    this.#slots = slots;
    this.#phases = phases;
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
    data: readonly Floats[],
    owned: OptimizerMemory,
    core: Core,
  ): () => void {
    const isNew = first >= this.#slots.size;
    const blocks: (Layout & { k: number; memory: Floats; begin: number })[] = [];
    let shared: Layout | undefined;
    for (const k of which) {
      const slabs = owned.state(k);
      shared = isNew && shared ? shared : this.#layOut(k, first, data, slabs);
      if (shared.begins.every((begin) => begin < 0)) continue; // all are there
      blocks.push({ k, ...shared, ...slabs.block(shared.size, k + 2) });
    }
    if (this.#places.length < 2 * data.length) this.#places = new Float64Array(2 * data.length);
    return () => {
      if (!isNew) this.#dropUnused(which, first, data.length);
      for (const { k, memory, begin, begins } of blocks) {
        this.#register(core, k, first, memory, begin, begins);
      }
    };
  }

  /**
   * Where arrays of a kind begin in a block that is cut at cache lines, as an arena is; -1 for those
   * that are there. A long array begins as far past a line as its data, so that both meet the next
   * line at once.
   */
  #layOut(k: number, first: number, data: readonly Floats[], slabs: SlabAllocator): Layout {
    const begins: number[] = [];
    let size = 0;
    for (let i = 0; i < data.length; i++) {
      if (this.#kinds[k]!.has(first + i)) {
        begins.push(-1);
        continue;
      }
      // By the slot, where there is one: registered data may have been taken away.
      const length = this.#slots.rows[first + i]?.length ?? lengthOf(data[i]);
      const head = slabs.headOf(data[i]!);
      begins.push(size + head);
      size += wholeLines(head + length);
    }
    return { begins, size };
  }

  #register(
    core: Core,
    k: number,
    first: number,
    memory: Floats,
    begin: number,
    begins: readonly number[],
  ): void {
    const [kind, places] = [this.#kinds[k]!, this.#places];
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
      this.#views[slot] = undefined;
      if (arrays === undefined) kind.set(slot, memory, places[2 * i + 1]!);
      else kind.set(slot, arrays[i]!, -1);
    }
  }

  /** The arrays of a slot that there are. @internal */
  arraysOf(slot: number): StateArrays {
    const { length } = this.#slots.rows[slot]!;
    return this.#kinds.map((kind) => kind.get(slot, length));
  }

  /** A slot has these kinds and no others from now on. @internal */
  keep(slot: number, which: readonly number[]): void {
    for (const [k, kind] of this.#kinds.entries()) if (!which.includes(k)) kind.drop(slot);
    this.#views[slot] = undefined;
  }

  /** The slots are others now, with these arrays. @internal */
  reset(arrays: StateArrays[]): void {
    for (const [k, kind] of this.#kinds.entries()) kind.reset(arrays.map((mine) => mine[k]));
    this.#views = [];
  }

  /** What an option called for that was switched off before the first step was never state. */
  #dropUnused(which: readonly number[], first: number, count: number): void {
    for (const [k, kind] of this.#kinds.entries()) {
      if (which.includes(k)) continue;
      for (let slot = first; slot < first + count; slot++) {
        if (this.#slots.stepOf(slot) > 0) continue;
        kind.drop(slot);
        this.#views[slot] = undefined;
      }
    }
  }

  get size(): number {
    let size = 0;
    for (const _ of this.keys()) size += 1;
    return size;
  }

  has(parameter: ParameterLike): boolean {
    this.#phases.assertNotAsync('state.has');
    const slot = this.#slots.indexOf.get(parameter);
    return slot !== undefined && this.#slots.stepOf(slot) > 0;
  }

  /** @throws {GradstepError} `ERR_BUSY` while an asynchronous step is under way. */
  get(parameter: ParameterLike): S | undefined {
    this.#phases.assertNotAsync('state.get');
    const slot = this.#slots.indexOf.get(parameter);
    if (slot === undefined || this.#slots.stepOf(slot) === 0) return undefined;
    this.#views[slot] ??= this.#view(slot);
    return this.#views[slot];
  }

  #view(slot: number): S {
    const view = {};
    const { record, length } = this.#slots.rows[slot]!;
    this.#schema.record.forEach((name, at) => {
      if (at === 0 && !this.#schema.counted) return;
      Object.defineProperty(view, name, { enumerable: true, get: () => record[at] });
    });
    this.#schema.state.forEach(({ name }, k) => {
      const value = this.#kinds[k]!.get(slot, length);
      if (value !== undefined) Object.defineProperty(view, name, { enumerable: true, value });
    });
    const shown = { value: () => ({ ...view }) }; // the step's value, not its getter
    return Object.freeze(Object.defineProperty(view, inspectCustom, shown)) as S;
  }

  *keys(): MapIterator<ParameterLike> {
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
    return inspect(new Map(this), options);
  }
}
