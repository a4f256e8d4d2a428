/**
 * The arrays behind an average: the averages themselves, the parameters' data as the core knows
 * it, and the parameters' own values while they hold the averages.
 *
 * An average is stepped by the machinery of optimizers: it is the data of a slot, and the
 * parameter's values are its gradient.
 */

import { activeBackend } from '../backend/active.ts';
import type { Backend, Core, Failure } from '../backend/backend.ts';
import { type Placement, SlabAllocator, wholeLines } from '../memory/slab.ts';
import { goneSentence, type ParamList } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { ArenaParameter } from '../parameters/parameter-arena.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import {
  bufferOf,
  type Doubles,
  type Floats,
  isFloat32Array,
  isGone,
  lengthOf,
} from '../support/typed-arrays.ts';

const { apply } = Reflect;
const { set } = Float32Array.prototype;

/** Copies bits; also those of a NaN. */
function copyBits(target: Floats, source: Floats): void {
  apply(set, target, [source]);
}

/** Which of the arrays that are worked on together they are; an arena's own are 0 and 1. */
const [AVERAGES, KEPT] = [2, 3];

/** What the table needs to know of a schema. */
interface AverageSchema {
  readonly rule: string;
  readonly fields: readonly string[];
  readonly record: readonly string[];
}

/** One row per parameter. */
export class AverageTable {
  /** The options, as the core reads them. */
  readonly struct: Doubles;
  readonly averages: readonly Floats[];

  readonly #params: readonly ParameterLike[];
  readonly #labels: readonly string[];
  readonly #lengths: readonly number[];
  readonly core: Core;
  readonly backend: Backend;
  readonly #records: Doubles;
  readonly #placement: Placement;
  /** The parameters' data as the core knows it, kept alive here. */
  readonly #values: (Floats | undefined)[] = [];
  #kept: readonly Floats[] | undefined;

  /** The averages begin as copies of the parameters. */
  constructor({ rule, fields, record }: AverageSchema, { params, data, labels }: ParamList) {
    const backend = activeBackend();
    this.backend = backend;
    this.#params = params;
    this.#labels = labels.map(labelOf);
    this.#lengths = data.map(lengthOf);
    this.#placement = backend;
    this.core = backend.open(rule, fields, record);
    const control = new SlabAllocator(backend, this.core);
    this.struct = control.float64(fields.length);
    this.#records = control.float64(Math.max(1, params.length) * record.length);
    this.averages = this.#allocate(AVERAGES);
    for (let i = 0; i < data.length; i++) copyBits(this.averages[i]!, data[i]!);
    if (this.core.addGroup(this.struct, this.#records, this.averages) !== undefined) {
      throw new GradstepError('ERR_INTERNAL', 'Memory changed hands');
    }
    // Averages are cut as arenas are: then parameters that lie side by side are one span.
    for (let i = 0; i < data.length; i++) {
      if (ArenaParameter.placeOf(params[i]!, data[i]!) !== undefined) this.core.ownLines(i, i + 1);
    }
  }

  /** An array for each parameter, in one block that is cut at cache lines. */
  #allocate(place: number): Floats[] {
    const total = this.#lengths.reduce((sum, length) => sum + wholeLines(length), 0);
    const block = new SlabAllocator(this.#placement).float32(total, place);
    let begin = block.byteOffset;
    return this.#lengths.map((length) => {
      const array = new Float32Array(block.buffer, begin, length);
      begin += wholeLines(length) * 4;
      return array;
    });
  }

  /** How many updates the averages have seen; steps may have made some. */
  get count(): number {
    return this.#records[0]!;
  }

  /** Sets how many updates the averages have seen. */
  setCount(count: number): void {
    this.#records.fill(count);
    const size = this.#records.length / Math.max(1, this.#params.length);
    for (let i = 0; i < this.#params.length; i++) {
      const record = this.#records.subarray(i * size, (i + 1) * size);
      this.core.setSlot(i, this.struct, record); // it may have read the old ones
    }
  }

  /** Reads the data of every parameter once, which may run users' getters, and registers it. */
  read(): void {
    for (let i = 0; i < this.#params.length; i++) {
      const { data } = this.#params[i]!;
      if (data === this.#values[i]) continue;
      this.#check(i, data);
      this.core.setGrad(i, data);
      this.#values[i] = data;
    }
  }

  /** Takes the values that were read last into the averages; a failure has changed nothing. */
  update(): void {
    this.prove();
    const failure = this.core.step();
    if (failure !== undefined) throw this.#explain(failure);
    if (this.#params.length === 0) this.#records[0]! += 1; // nobody else counts
  }

  /** Keeps the values that were read last, and puts the averages in their place. */
  putAverages(): void {
    this.#kept ??= this.#allocate(KEPT);
    this.verify(true);
    // All are kept before one is written: parameters may share memory.
    this.#copy(this.#values, this.#kept);
    this.#copy(this.averages, this.#values);
  }

  /** Puts the kept values where the parameters' data is now. */
  putKept(): void {
    this.verify(true);
    this.#copy(this.#kept!, this.#values);
  }

  dispose(): void {
    this.core.dispose();
    this.#kept = undefined;
  }

  #copy(from: readonly (Floats | undefined)[], to: readonly (Floats | undefined)[]): void {
    for (let i = 0; i < this.#lengths.length; i++) copyBits(to[i]!, from[i]!);
  }

  /** With no user's code before what follows: every array is still there. */
  prove(): void {
    const [lengths, values] = [this.#lengths, this.#values];
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      if (length > 0 && values[i]![length - 1] === undefined) throw this.#gone(i);
    }
  }

  /**
   * As `prove`, and that no parameter lies in an average; for writing, that no asynchronous step is
   * working on any.
   */
  verify(writing: boolean): void {
    this.prove();
    const failure = this.core.verifyMemory(writing);
    if (failure !== undefined) throw this.#explain(failure);
  }

  #check(i: number, data: unknown): void {
    const length = this.#lengths[i]!;
    if (isFloat32Array(data)) {
      bufferOf(data); // moves a tiny array to where it stays
      if (isGone(data)) throw this.#gone(i);
      if (lengthOf(data) === length) return;
    }
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected data of parameter ${this.#labels[i]} to be a Float32Array of length ${length} ` +
        `but received ${describe(data)}`,
    );
  }

  #gone(i: number): GradstepError {
    return new GradstepError('ERR_DETACHED', goneSentence('data', this.#labels[i]!));
  }

  #explain({ kind, slot, other }: Failure): GradstepError {
    const label = this.#labels[slot];
    if (kind === 'busy') {
      return new GradstepError(
        'ERR_BUSY',
        `An asynchronous step is working on memory of parameter ${label}: await it first`,
      );
    }
    if (kind !== 'gradOverlap') {
      return new GradstepError('ERR_INTERNAL', `Inconsistent state (${kind}) at ${label}`);
    }
    const owner =
      other < 0 ? 'memory of the average' : `the average of parameter ${this.#labels[other]}`;
    return new GradstepError(
      'ERR_OVERLAP',
      `data of parameter ${label} shares memory with ${owner}`,
    );
  }
}

/** A parameter in error sentences. */
export function labelOf(name: string | undefined, index: number): string {
  return name === undefined ? `at index ${index}` : `'${name}'`;
}

/** Refuses parameters that stand twice in a list. */
export function refuseTwice({ params, labels }: ParamList): void {
  const seen = new Set<ParameterLike>();
  for (const [i, parameter] of params.entries()) {
    if (seen.has(parameter)) {
      throw new GradstepError(
        'ERR_DUPLICATE_PARAMETER',
        `parameter ${labelOf(labels[i], i)} is given twice`,
      );
    }
    seen.add(parameter);
  }
}
