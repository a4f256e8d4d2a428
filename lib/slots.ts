/**
 * The parameters as the core knows them: which arrays are registered for each, kept alive here,
 * and the proof before every step that they are still those and still there.
 */

import { bufferOf, fillZero, isFloat32Array, isGone, lengthOf } from './arrays.ts';
import type { Core, Failure } from './backend/backend.ts';
import { describe } from './describe.ts';
import { GradstepError } from './errors.ts';
import type { ParameterLike } from './parameter.ts';
import { type ArenaSlot, arenaSlotOf } from './parameter-arena.ts';

type Floats = Float32Array<ArrayBufferLike>;
type Doubles = Float64Array<ArrayBufferLike>;

/** A new group's slots, in order. */
export interface NewSlots {
  readonly params: readonly ParameterLike[];
  readonly data: readonly Floats[];
  readonly names: readonly string[] | undefined;
  readonly group: number;
  readonly struct: Doubles;
  readonly steps: Doubles;
}

/** Neighbouring slots that are checked alike: those of one arena in shared memory, or any. */
interface Segment {
  readonly begin: number;
  end: number;
  /** The arena's count of changes, and how far this table has followed it. */
  readonly changes: ArenaSlot['changes'] | undefined;
  seen: number;
  readonly places: ArenaSlot[];
}

/** One row per parameter, in the order in which the core numbers them. */
export class SlotTable {
  readonly params: ParameterLike[] = [];
  readonly data: Floats[] = [];
  readonly lengths: number[] = [];
  readonly indexOf: Map<ParameterLike, number> = new Map();
  readonly #core: Core;
  readonly #grads: (Floats | null)[] = [];
  readonly #names: (string | undefined)[] = [];
  readonly #groups: number[] = [];
  readonly #steps: Doubles[] = [];
  readonly #offsets: number[] = [];
  readonly #segments: Segment[] = [];

  constructor(core: Core) {
    this.#core = core;
  }

  get size(): number {
    return this.params.length;
  }

  /** How often a parameter has been stepped (SGD: how often its momentum has). */
  stepOf(slot: number): number {
    return this.#steps[slot]![this.#offsets[slot]!]!;
  }

  /** A parameter for error sentences: `'conv.weight' (group 0)`. */
  label(slot: number): string {
    const name = this.#names[slot] ?? this.params[slot]!.name;
    const group = this.#groups[slot]!;
    const first = this.#groups.indexOf(group);
    return `${name === undefined ? `at index ${slot - first}` : `'${name}'`} (group ${group})`;
  }

  /** Adds a group's parameters: all, or none and an error. */
  add(added: NewSlots): void {
    for (const array of added.data) bufferOf(array); // moves tiny arrays to where they stay
    const failure = this.#core.addGroup(added.struct, added.steps, added.data);
    const first = this.size;
    added.params.forEach((parameter, i) => {
      this.indexOf.set(parameter, first + i);
      this.params.push(parameter);
      this.data.push(added.data[i]!);
      this.lengths.push(lengthOf(added.data[i]!));
      this.#grads.push(null);
      this.#names.push(added.names?.[i]);
      this.#groups.push(added.group);
      this.#steps.push(added.steps);
      this.#offsets.push(i);
    });
    if (failure !== undefined) {
      const error = this.explain(failure);
      this.#truncate(first);
      throw error;
    }
    added.params.forEach((parameter, i) => {
      this.#addToSegment(first + i, arenaSlotOf(parameter));
    });
  }

  #addToSegment(slot: number, place: ArenaSlot | undefined): void {
    let segment = this.#segments.at(-1);
    if (segment === undefined || segment.changes !== place?.changes) {
      segment = { begin: slot, end: slot, changes: place?.changes, seen: -1, places: [] };
      this.#segments.push(segment);
    }
    segment.end = slot + 1;
    segment.seen = -1;
    if (place !== undefined) {
      segment.places.push(place);
      this.#core.ownLines(slot);
    }
  }

  #truncate(size: number): void {
    for (const parameter of this.params.slice(size)) this.indexOf.delete(parameter);
    const columns: unknown[][] = [this.params, this.data, this.lengths, this.#grads, this.#names];
    for (const column of [...columns, this.#groups, this.#steps, this.#offsets]) {
      column.length = size;
    }
  }

  /** Refuses parameters that are here already, or twice among the given. */
  refuseTwice(params: readonly ParameterLike[]): void {
    const seen = new Map<ParameterLike, number>();
    params.forEach((parameter, i) => {
      const other = this.indexOf.get(parameter);
      if (other !== undefined) {
        throw new GradstepError(
          'ERR_DUPLICATE_PARAMETER',
          'some parameters appear in more than one parameter group: ' +
            `parameter ${this.label(other)} is given again`,
        );
      }
      if (seen.has(parameter)) {
        throw new GradstepError(
          'ERR_DUPLICATE_PARAMETER',
          'optimizer contains a parameter group with duplicate parameters: ' +
            `those at index ${seen.get(parameter)} and ${i} are the same`,
        );
      }
      seen.set(parameter, i);
    });
  }

  /**
   * First pass before a step: reads every `data` and `grad` once, which may run users' getters,
   * and registers what has changed.
   */
  refresh(): void {
    for (const segment of this.#segments) {
      if (segment.changes !== undefined) this.#refreshArena(segment, segment.changes.count);
      else this.#refreshLoose(segment);
    }
  }

  #refreshLoose({ begin, end }: Segment): void {
    const { params, data } = this;
    const grads = this.#grads;
    for (let i = begin; i < end; i++) {
      const parameter = params[i]!;
      const newData = parameter.data;
      if (newData !== data[i]) this.#rebindData(i, newData);
      const grad = parameter.grad ?? null;
      if (grad !== grads[i]) this.#rebindGrad(i, grad);
    }
  }

  /** An arena's data stays where it is; its gradients come and go, and it counts how often. */
  #refreshArena(segment: Segment, count: number): void {
    if (segment.seen === count) return;
    segment.places.forEach(({ grad, hasGrad }, i) => {
      const slot = segment.begin + i;
      const present = hasGrad ? grad : null;
      if (present === this.#grads[slot]) return;
      this.#core.setGrad(slot, present);
      this.#grads[slot] = present;
    });
    segment.seen = count;
  }

  /**
   * Second pass, with no user's code before the core runs: every registered array still has its
   * last element, so its buffer was neither detached nor shrunk since.
   */
  verify(): void {
    for (const segment of this.#segments) {
      if (segment.changes === undefined) this.#verifyLoose(segment);
    }
  }

  #verifyLoose({ begin, end }: Segment): void {
    const { data, lengths } = this;
    const grads = this.#grads;
    for (let i = begin; i < end; i++) {
      const last = lengths[i]! - 1;
      if (last < 0) continue;
      if (data[i]![last] === undefined) throw this.#gone(i, 'data');
      const grad = grads[i];
      if (grad && grad[last] === undefined) throw this.#gone(i, 'grad');
    }
  }

  /** Drops every gradient, or fills it with zeros; checks all of them first. */
  zeroGrads(setToNone: boolean): void {
    const grads = this.params.map((parameter) => parameter.grad ?? null);
    for (const [i, grad] of grads.entries()) {
      if (grad !== null && !setToNone) this.#check(i, 'grad', grad);
    }
    for (const [i, grad] of grads.entries()) {
      if (grad !== null && setToNone) this.params[i]!.grad = null;
      else if (grad !== null) fillZero(grad);
    }
  }

  #rebindData(slot: number, data: Floats): void {
    this.#check(slot, 'data', data);
    this.#core.setData(slot, data);
    this.data[slot] = data;
  }

  #rebindGrad(slot: number, grad: Floats | null): void {
    if (grad !== null) this.#check(slot, 'grad', grad);
    this.#core.setGrad(slot, grad);
    this.#grads[slot] = grad;
  }

  #check(slot: number, field: 'data' | 'grad', array: unknown): void {
    const length = this.lengths[slot]!;
    if (isFloat32Array(array)) {
      bufferOf(array); // moves a tiny array to where it stays
      if (isGone(array)) throw this.#gone(slot, field);
      if (lengthOf(array) === length) return;
    }
    const size = isFloat32Array(array) ? ` of length ${length}` : '';
    throw new GradstepError(
      field === 'data' ? 'ERR_INVALID_PARAMETER' : 'ERR_INVALID_GRADIENT',
      `Expected ${field} of parameter ${this.label(slot)} to be a Float32Array${size} ` +
        `but received ${describe(array)}`,
    );
  }

  #gone(slot: number, field: string): GradstepError {
    return new GradstepError(
      'ERR_DETACHED',
      `The buffer of ${field} of parameter ${this.label(slot)} was transferred, shrunk or grown ` +
        `away; assign a new Float32Array to ${field} before the step`,
    );
  }

  /** A failure of the core as an error. */
  explain({ kind, slot, other }: Failure): GradstepError {
    const label = this.label(slot);
    const owner =
      other < 0 ? "the optimizer's own state" : `data of parameter ${this.label(other)}`;
    switch (kind) {
      case 'dataOverlap':
        return new GradstepError(
          'ERR_OVERLAP',
          `data of parameter ${label} shares memory with ${owner}; parameters must not overlap`,
        );
      case 'gradOverlap':
        return new GradstepError(
          'ERR_OVERLAP',
          `grad of parameter ${label} shares memory with ${owner}`,
        );
      case 'overflow':
        return new GradstepError(
          'ERR_OVERFLOW',
          'value cannot be converted to type float without overflow: the options of group ' +
            `${this.#groups[slot]} give parameter ${label} a step that float32 cannot hold`,
        );
      default:
        return new GradstepError('ERR_INTERNAL', `Inconsistent state (${kind}) at ${label}`);
    }
  }
}
