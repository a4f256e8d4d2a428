/** One parameter of an optimizer; numbered as the core numbers it. */

import { ArenaParameter, type ArenaSlot } from '../parameters/arena-parameter.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { goneSentence } from '../parameters/sentences.ts';
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

/** What a group's slots have in common. */
export interface SlotGroup {
  readonly group: number;
  /** What the rule remembers of each, one after the other; first its step count. */
  readonly records: Doubles;
  /** How many doubles that is for one. */
  readonly recordSize: number;
  readonly frozen: boolean;
}

/** What a rule that sees shapes makes of a parameter's. */
export interface Shaping {
  readonly shape: readonly number[];
  /** How long each kind of state is; -1: it has none. */
  readonly stateLengths: readonly number[];
}

export class Slot {
  readonly parameter: ParameterLike;
  data: Floats;
  grad: Floats | null = null;
  readonly length: number;
  /** Its place in an arena: then its arrays are known for good. */
  readonly place: ArenaSlot | undefined;
  /** The name that was given, or its own. */
  readonly name: string | undefined;
  readonly group: number;
  /** By its shape when it came, where the rule sees shapes. */
  readonly shaping: Shaping | undefined;
  /** Whether its group is frozen. */
  frozen: boolean;
  /** Its number in its group. */
  index: number;
  #records: Doubles;
  #begin: number;
  readonly #recordSize: number;

  /**
   * @param index Its number in its group.
   * @param at Where its record is among `records`.
   */
  constructor(
    parameter: ParameterLike,
    data: Floats,
    name: string | undefined,
    index: number,
    { group, records, recordSize, frozen }: SlotGroup,
    at = index,
    shaping?: Shaping,
  ) {
    this.parameter = parameter;
    this.data = data;
    this.length = lengthOf(data);
    this.place = ArenaParameter.placeOf(parameter, data);
    this.name = name;
    this.shaping = shaping;
    this.group = group;
    this.frozen = frozen;
    this.index = index;
    this.#records = records;
    this.#begin = at * recordSize;
    this.#recordSize = recordSize;
  }

  /** The slot of a parameter that has the place of this one, with its record. */
  successor(
    parameter: ParameterLike,
    data: Floats,
    name: string | undefined,
    shaping: Shaping | undefined,
  ): Slot {
    const { group, frozen, index, record } = this;
    const together = { group, records: record, recordSize: this.#recordSize, frozen };
    return new Slot(parameter, data, name, index, together, 0, shaping);
  }

  /** How long its state of a kind is; -1: it has none. */
  stateLength(k: number): number {
    return this.shaping === undefined ? this.length : this.shaping.stateLengths[k]!;
  }

  /** How often the rule has stepped it. */
  get step(): number {
    return this.recordAt(0);
  }

  /** One number of what the rule remembers of it. */
  recordAt(at: number): number {
    return this.#records[this.#begin + at]!;
  }

  /** What the rule remembers of it. A view is made only for those who ask: views are dear. */
  get record(): Doubles {
    return this.#records.subarray(this.#begin, this.#begin + this.#recordSize);
  }

  set record(record: Doubles) {
    this.#records = record;
    this.#begin = 0;
  }

  /** What errors call it: `'conv.weight' (group 0)`. */
  get label(): string {
    return labelOf(this.name, this.index, this.group);
  }

  /** Refuses what cannot be its data or its gradient. */
  check(field: 'data' | 'grad', array: unknown): void {
    const { length, label } = this;
    if (isFloat32Array(array)) {
      bufferOf(array); // moves a tiny array to where it stays
      if (isGone(array)) throw this.gone(field);
      if (lengthOf(array) === length) return;
    }
    const size = isFloat32Array(array) ? ` of length ${length}` : '';
    throw new GradstepError(
      field === 'data' ? 'ERR_INVALID_PARAMETER' : 'ERR_INVALID_GRADIENT',
      `Expected ${field} of parameter ${label} to be a Float32Array${size} ` +
        `but received ${describe(array)}`,
    );
  }

  /** The error for an array whose memory was taken away. */
  gone(field: 'data' | 'grad'): GradstepError {
    return new GradstepError('ERR_DETACHED', goneSentence(field, this.label));
  }
}

/** A parameter in error sentences. */
export function labelOf(name: string | undefined, index: number, group: number): string {
  return `${name === undefined ? `at index ${index}` : `'${name}'`} (group ${group})`;
}
