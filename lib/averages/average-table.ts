/**
 * The arrays behind an average: the averages themselves, the parameters' data as the core knows
 * it, and the parameters' own values while they hold the averages.
 *
 * An average is stepped by the machinery of optimizers: it is the data of a slot, and the
 * parameter's values are its gradient.
 */

import { activeBackend } from '../backend/active.ts';
import type { Backend, Core, Failure } from '../backend/backend.ts';
import { releaseBusy, takeBusy } from '../backend/busy-memory.ts';
import { type Placement, SlabAllocator, wholeLines } from '../memory/slab.ts';
import { ArenaParameter } from '../parameters/arena-parameter.ts';
import type { ParamList } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { goneSentence, unsharedSentence } from '../parameters/sentences.ts';
import type { Member } from '../stepping/members.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import {
  bufferOf,
  copyFloats,
  type Doubles,
  type Floats,
  isElastic,
  isFloat32Array,
  isGone,
  isShared,
  isWhole,
  lengthOf,
} from '../support/typed-arrays.ts';

/** Which of the arrays that are worked on together they are; an arena's own are 0 and 1. */
const [AVERAGES, KEPT] = [2, 3];

/** What the table needs to know of a schema. */
interface AverageSchema {
  readonly rule: string;
  readonly fields: readonly string[];
  readonly record: readonly string[];
}

/** One row per parameter. What the core borrows is kept alive here. */
export class AverageTable implements Member {
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
  /** Whether the last element does not tell all of it: it is empty, or its buffer grows. */
  readonly #isOdd: boolean[] = [];
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
    for (let i = 0; i < data.length; i++) {
      copyFloats(this.averages[i]!, data[i]!, this.#lengths[i]!);
    }
    // Without parameters there is one that is empty: something has to count the updates.
    const slots = params.length > 0 ? this.averages : [new Float32Array(0)];
    if (this.core.addGroup(this.struct, this.#records, slots) !== undefined) {
      throw new GradstepError('ERR_INTERNAL', 'Memory changed hands');
    }
    if (params.length === 0) this.core.setGrad(0, slots[0]!);
    this.core.ownLines(0, slots.length);
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
    for (let i = 0; i < Math.max(1, this.#params.length); i++) {
      const record = this.#records.subarray(i * size, (i + 1) * size);
      this.core.setSlot(i, this.struct, record); // it may have read the old ones
    }
  }

  /** Reads the data of every parameter once, which may run users' getters, and registers it. */
  refresh(): void {
    for (let i = 0; i < this.#params.length; i++) {
      const parameter = this.#params[i]!;
      const { data } = parameter;
      if (data === this.#values[i] && data !== undefined) continue;
      this.#check(i, data);
      // An arena's parameter owns its last cache line, and that only as long as it is its own array.
      this.core.setGrad(i, data, ArenaParameter.placeOf(parameter, data) !== undefined);
      this.#values[i] = data;
      this.#isOdd[i] = this.#lengths[i] === 0 || isElastic(data);
    }
  }

  /** With no user's code before what follows: every array is there, and as long as it was. */
  verify(): void {
    const lengths = this.#lengths;
    const values = this.#values;
    const isOdd = this.#isOdd;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      const value = values[i]!;
      const isThere = isOdd[i] ? isWhole(value, length) : value[length - 1] !== undefined;
      if (!isThere) throw this.#gone(i);
    }
  }

  /** No parameter lies in an average. */
  verifyOverlap(): void {
    const failure = this.core.verifyMemory(false);
    if (failure !== undefined) throw this.explain(failure);
  }

  verifyShared(): void {
    for (let i = 0; i < this.#values.length; i++) {
      if (isShared(bufferOf(this.#values[i]!))) continue;
      throw new GradstepError('ERR_NOT_SHARED', unsharedSentence('data', this.#labels[i]!));
    }
  }

  /** Takes the values that were read last into the averages; a failure has changed nothing. */
  update(): void {
    this.verify();
    const failure = this.core.step();
    if (failure !== undefined) throw this.explain(failure);
  }

  /** Keeps the values that were read last, and puts the averages in their place. */
  putAverages(): void {
    this.#kept ??= this.#allocate(KEPT);
    const kept = this.#kept;
    this.#write(() => {
      // All are kept before one is written: parameters may share memory.
      this.#copy(this.#values, kept);
      this.#copy(this.averages, this.#values);
    });
  }

  /** Puts the kept values where the parameters' data is now. */
  putKept(): void {
    this.#write(() => this.#copy(this.#kept!, this.#values));
  }

  /** Proves every array, and has the memory while it writes. */
  #write(write: () => void): void {
    this.verifyOverlap();
    this.verify();
    const values = this.#values as Floats[];
    const written = values.length;
    const arrays: Floats[] = [];
    for (let i = 0; i < written; i++) arrays[i] = values[i]!;
    for (let i = 0; i < written; i++) arrays[written + i] = this.averages[i]!;
    const hold = takeBusy(arrays, written);
    if (typeof hold === 'number') {
      throw this.explain({ kind: 'busy', slot: hold % written, other: -1 });
    }
    try {
      write();
    } finally {
      if (hold !== undefined) releaseBusy(hold);
    }
  }

  dispose(): void {
    this.core.dispose();
    this.#kept = undefined;
  }

  #copy(from: readonly (Floats | undefined)[], to: readonly (Floats | undefined)[]): void {
    for (let i = 0; i < this.#lengths.length; i++) copyFloats(to[i]!, from[i]!, this.#lengths[i]!);
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

  explain({ kind, slot, other }: Failure): GradstepError {
    const label = this.#labels[slot];
    if (kind === 'badCount') {
      return new GradstepError(
        'ERR_OVERFLOW',
        `An average counts up to ${Number.MAX_SAFE_INTEGER} updates, and there have been as many`,
      );
    }
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
