/** The state of an optimizer: arrays per parameter, made when an option first needs them. */

import { type Floats, lengthOf } from './arrays.ts';
import type { Core } from './backend/backend.ts';
import { inspectCustom } from './describe.ts';
import type { ParameterLike } from './parameter.ts';
import type { Phases } from './phases.ts';
import { type SlabAllocator, wholeLines } from './slab.ts';
import type { SlotTable } from './slots.ts';

/** The state of one parameter: live views, which the next step writes. */
export type ParameterState = Readonly<Record<string, Floats | number>>;

/** The arrays of one parameter, by position in the schema's list. */
export type StateArrays = (Floats | undefined)[];

/** What the state needs to know of a schema. */
interface StateSchema {
  readonly state: readonly { readonly name: string }[];
  readonly counted: boolean;
  readonly record: readonly string[];
}

/**
 * `optimizer.state`: a read-only Map from parameter to its state. A parameter has none before
 * its first step, as in torch.
 */
export class StateMap<S = ParameterState> implements ReadonlyMap<ParameterLike, S> {
  readonly #schema: StateSchema;
  readonly #slots: SlotTable;
  readonly #phases: Phases;
  /** By slot, then by position in the schema's list. */
  #arrays: StateArrays[] = [];
  #views: (S | undefined)[] = [];

  constructor(schema: StateSchema, slots: SlotTable, phases: Phases) {
    this.#schema = schema;
    this.#slots = slots;
    this.#phases = phases;
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
    slabsOf: (kind: number) => SlabAllocator,
    core: Core,
  ): () => void {
    const made: [slot: number, k: number, array: Floats][] = [];
    for (const k of which) {
      const slots = [...data.keys()].filter((i) => !this.#arrays[first + i]?.[k]);
      // One block per kind, cut at cache lines: the state of an arena lies as the arena does. A
      // long array begins as far past a line as its data, so that both meet the next line at once.
      const slabs = slabsOf(k);
      const heads = slots.map((i) => slabs.headOf(data[i]!));
      // By the slot, where there is one: registered data may have been taken away.
      const lengths = slots.map((i) => this.#slots.rows[first + i]?.length ?? lengthOf(data[i]));
      const sizes = lengths.map((length, j) => wholeLines(heads[j]! + length));
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const { buffer, byteOffset } = slabs.block(total, k + 2);
      let begin = 0;
      slots.forEach((i, j) => {
        const offset = byteOffset + (begin + heads[j]!) * 4;
        made.push([first + i, k, new Float32Array(buffer, offset, lengths[j]!)]);
        begin += sizes[j]!;
      });
    }
    return () => {
      this.#dropUnused(which, first, data.length);
      for (const [slot, k, array] of made) {
        core.setState(slot, k, array);
        this.#arrays[slot] ??= [];
        this.#arrays[slot][k] = array;
        this.#views[slot] = undefined;
      }
    };
  }

  /** The arrays of a slot that there are. @internal */
  arraysOf(slot: number): StateArrays {
    return this.#arrays[slot] ?? [];
  }

  /** The slots are others now, with these arrays. @internal */
  reset(arrays: StateArrays[]): void {
    this.#arrays = arrays;
    this.#views = [];
  }

  /** What an option called for that was switched off before the first step was never state. */
  #dropUnused(which: readonly number[], first: number, count: number): void {
    for (let slot = first; slot < first + count; slot++) {
      if (this.#slots.stepOf(slot) > 0) continue;
      this.#arrays[slot]?.forEach((_, k, arrays) => {
        if (!which.includes(k)) arrays[k] = undefined;
      });
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
    const { record } = this.#slots.rows[slot]!;
    this.#schema.record.forEach((name, at) => {
      if (at === 0 && !this.#schema.counted) return;
      Object.defineProperty(view, name, { enumerable: true, get: () => record[at] });
    });
    this.#schema.state.forEach(({ name }, k) => {
      const value = this.#arrays[slot]?.[k];
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
