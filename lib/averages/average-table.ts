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
import { openRule, portable } from '../backend/portable/portable.ts';
import { type Placement, SlabAllocator, wholeLines } from '../memory/slab.ts';
import type { Schema } from '../options/schema.ts';
import { ArenaParameter } from '../parameters/arena-parameter.ts';
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
import { labelOf, type Rows } from './average-list.ts';
import { type AverageFunction, FunctionRule } from './function-rule.ts';

/** Which of the arrays that are worked on together they are; an arena's own are 0 and 1. */
const [AVERAGES, KEPT] = [2, 3];

/** One row per parameter. What the core borrows is kept alive here. */
export class AverageTable implements Member {
  /** The options, as the core reads them. */
  readonly struct: Doubles;
  /** The same for buffers. */
  readonly #copying: Doubles;
  /** Whether the update is code of a user. */
  readonly isOwn: boolean;
  readonly averages: readonly Floats[];

  readonly #schema: Schema<object>;
  readonly #params: readonly ParameterLike[];
  readonly #averaged: number;
  readonly #labels: readonly string[];
  readonly #lengths: readonly number[];
  readonly core: Core;
  readonly backend: Backend;
  readonly #records: Doubles;
  /** The parameters' data as the core knows it, kept alive here. */
  readonly #values: (Floats | undefined)[] = [];
  /** Whether the last element does not tell all of it: it is empty, or its buffer grows. */
  readonly #isOdd: boolean[] = [];
  /** Where averages, and copies of parameters, are allocated. */
  readonly #home: Placement;
  #kept: readonly Floats[] | undefined;

  /**
   * The averages begin as copies of the parameters.
   * @param averaged How many of the rows are averaged; the others are buffers, which are copied.
   * @param avgFn A function of the user's instead of the rule.
   */
  constructor(
    schema: Schema<object>,
    { params, data, labels }: Rows,
    averaged: number,
    avgFn: AverageFunction | undefined,
  ) {
    const { rule, fields, record } = schema;
    this.#schema = schema;
    this.isOwn = avgFn !== undefined;
    this.backend = this.isOwn ? portable : activeBackend();
    this.#params = params;
    this.#labels = labels.map(labelOf);
    this.#lengths = data.map(lengthOf);
    this.#home = this.backend.home();
    if (data[0] !== undefined) this.#home.settleNear?.(data[0]);
    this.#averaged = averaged;
    this.core =
      avgFn === undefined
        ? this.backend.open(rule, fields, record)
        : openRule(new FunctionRule(avgFn, (average) => this.#labelOf(average)));
    const control = new SlabAllocator(this.backend, this.core);
    this.struct = control.float64(fields.length);
    this.#copying = control.float64(fields.length);
    this.#records = control.float64(Math.max(1, params.length));
    this.averages = this.#allocate(AVERAGES);
    for (let i = 0; i < data.length; i++) {
      copyFloats(this.averages[i]!, data[i]!, this.#lengths[i]!);
    }
    this.#addGroups();
  }

  #addGroups(): void {
    const { core, averages } = this;
    // Without parameters there is one that is empty: something has to count the updates.
    const slots = averages.length > 0 ? averages : [new Float32Array(0)];
    const first = averages.length > 0 ? this.#averaged : 1;
    const groups = [
      [this.struct, this.#records.subarray(0, first), slots.slice(0, first)],
      [this.#copying, this.#records.subarray(first), slots.slice(first)],
    ] as const;
    for (const [struct, records, arrays] of groups) {
      if (arrays.length === 0 || core.addGroup(struct, records, arrays) === undefined) continue;
      throw new GradstepError('ERR_INTERNAL', 'Memory changed hands');
    }
    if (averages.length === 0) core.setGrad(0, slots[0]!);
    core.ownLines(0, slots.length);
  }

  /** Options that were checked, for all rows. */
  writeOptions(options: object): void {
    const { fields } = this.#schema;
    this.#schema.write(this.struct, options);
    this.#copying.set(this.struct);
    this.#copying[fields.indexOf('updateAfterStep')] = Number.POSITIVE_INFINITY; // they only copy
  }

  /** An array for each parameter, in one block that is cut at cache lines. */
  #allocate(place: number): Floats[] {
    const total = this.#lengths.reduce((sum, length) => sum + wholeLines(length), 0);
    const block = new SlabAllocator(this.#home).float32(total, place);
    let begin = block.byteOffset;
    return this.#lengths.map((length) => {
      const array = new Float32Array(block.buffer, begin, length);
      begin += wholeLines(length) * 4;
      return array;
    });
  }

  /** How often `update` was called, by steps too. */
  get count(): number {
    return this.#records[0]!;
  }

  /** Sets that. */
  setCount(count: number): void {
    this.#records.fill(count);
    const averaged = Math.max(this.#averaged, this.averages.length > 0 ? 0 : 1);
    for (let i = 0; i < this.#records.length; i++) {
      const struct = i < averaged ? this.struct : this.#copying;
      this.core.setSlot(i, struct, this.#records.subarray(i, i + 1)); // it may have read the old ones
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

  #labelOf(average: Floats): string {
    return this.#labels[this.averages.indexOf(average)]!;
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
