/** An update rule whose scalars and steps the kernels compute. */

import { type Floats, lengthOf, viewOf } from '../../support/typed-arrays.ts';
import type { SteppingRule, Treatment } from '../portable/arithmetic.ts';
import { type Rule, ScalarOverflow } from '../portable/rules/rule.ts';
import type { Run, Slot } from '../portable/run.ts';
import { commonSpace, kernelsOf } from './engine.ts';
import type { Kernels } from './modules.ts';
import { BLOCK, type Space, STATES, spaceOf } from './space.ts';

/** What `prepare` gives. */
interface Scalars {
  readonly kernel: number;
  readonly values: Floats;
}

/** What is done to one gradient. */
interface Factors {
  readonly scale: number;
  readonly bound: number;
  coefficient: number;
}

/** Shorter slots are gathered in the scratch, and stepped together. */
const SHORT = 512;

/** Places among the arrays of a slot. */
const DATA = 0;
const GRAD = 1;
const STATE = 2;

/** Whose kernels are those of this rule of the portable backend. */
export function kernelRule({ name, fields, record }: Rule<unknown>): SteppingRule {
  return {
    fields,
    record,
    prepare(struct, next) {
      const space = commonSpace();
      const kernels = kernelsOf(space);
      const { places, control } = space;
      const recordAt = (places.record - places.struct) / 8;
      const rule = kernels.findRule(space.writeName(name));
      for (let i = 0; i < fields.length; i++) control[i] = struct[i]!;
      for (let i = 0; i < next.length; i++) control[recordAt + i] = next[i]!;
      const kernel = kernels.prepare(rule, places.struct, places.record, places.scalars);
      if (kernel === 0) throw new ScalarOverflow();
      for (let i = 0; i < next.length; i++) next[i] = control[recordAt + i]!;
      return { kernel, values: space.scalars.slice() } satisfies Scalars;
    },
    step(run, treatment, first, negate) {
      new RunOfKernels(run, treatment, negate).step(first);
      for (let i = 0; i < run.slots.length; i++) run.slots[i]!.record.set(run.next);
    },
  };
}

/** One run, stepped. */
class RunOfKernels {
  readonly #slots: readonly Slot[];
  readonly #scalars: Scalars;
  readonly #coefficients: readonly number[] | undefined;
  readonly #factors: Factors;
  readonly #sign: number;
  /** How many floats wait in the common scratch, and whose they are. */
  #waiting = 0;
  #firstWaiting = 0;

  constructor({ slots, scalars }: Run, treatment: Treatment, negate: boolean) {
    this.#slots = slots;
    this.#scalars = scalars as Scalars;
    this.#coefficients = treatment.coefficients;
    this.#factors = { scale: treatment.scale, bound: treatment.bound, coefficient: 1 };
    this.#sign = negate ? -0 : 0;
  }

  /** @param first The place of the first slot among all of the step. */
  step(first: number): void {
    const slots = this.#slots;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      const coefficient = this.#coefficients?.[first + i] ?? 1;
      const fits = this.#waiting + slot.length <= BLOCK && slot.length <= SHORT;
      if (!fits || coefficient !== this.#factors.coefficient) this.#flush(i);
      this.#factors.coefficient = coefficient;
      if (slot.length <= SHORT) this.#gather(slot);
      else {
        this.#stepLong(slot);
        this.#firstWaiting = i + 1;
      }
    }
    this.#flush(slots.length);
  }

  /** Copies a short slot behind those that wait. */
  #gather({ data, grad, state, length }: Slot): void {
    const { scratch } = commonSpace();
    copy(scratch[DATA]!, this.#waiting, data, 0, length);
    copy(scratch[GRAD]!, this.#waiting, grad!, 0, length);
    for (let k = 0; k < state.length; k++) {
      if (state[k] !== undefined) copy(scratch[STATE + k]!, this.#waiting, state[k]!, 0, length);
    }
    this.#waiting += length;
  }

  /** Steps those that wait, and copies what they are then to where it belongs. */
  #flush(end: number): void {
    const first = this.#firstWaiting;
    this.#firstWaiting = end;
    if (this.#waiting === 0) return;
    const space = commonSpace();
    const { scratch } = space;
    const kernels = kernelsOf(space);
    space.scalars.set(this.#scalars.values);
    this.#treat(kernels, space.scratchOf(GRAD), space.scratchOf(GRAD), this.#waiting);
    const blocks: number[] = [];
    for (let k = 0; k < STATE + STATES; k++) blocks[k] = space.scratchOf(k);
    this.#call(kernels, space, blocks, this.#waiting);
    let from = 0;
    for (let i = first; i < end; i++) {
      const { data, state, length } = this.#slots[i]!;
      copy(data, 0, scratch[DATA]!, from, length);
      for (let k = 0; k < state.length; k++) {
        if (state[k] !== undefined) copy(state[k]!, 0, scratch[STATE + k]!, from, length);
      }
      from += length;
    }
    this.#waiting = 0;
  }

  /** Steps a slot where its state lies, or else its data; what lies elsewhere is copied. */
  #stepLong(slot: Slot): void {
    const arrays = arraysOf(slot);
    const space = spaceOf(homeOf(arrays)) ?? commonSpace();
    const kernels = kernelsOf(space);
    space.scalars.set(this.#scalars.values);
    const places: number[] = [];
    let isHere = true;
    for (let k = 0; k < arrays.length; k++) {
      const array = arrays[k];
      places[k] = array === undefined ? 0 : space.addressOf(array);
      if (places[k]! < 0) isHere = false;
    }
    if (isHere && !changes(this.#factors)) this.#call(kernels, space, places, slot.length);
    else this.#stepBlocks(kernels, space, arrays, places, slot.length);
  }

  /** Through the scratch, where the place of an array is -1. */
  #stepBlocks(
    kernels: Kernels,
    space: Space,
    arrays: readonly (Floats | undefined)[],
    places: readonly number[],
    length: number,
  ): void {
    const { scratch } = space;
    const blocks: number[] = [];
    for (let from = 0; from < length; from += BLOCK) {
      const count = Math.min(BLOCK, length - from);
      for (let k = 0; k < places.length; k++) {
        const isOutside = places[k]! < 0;
        blocks[k] = isOutside ? space.scratchOf(k) : places[k]! + from * 4;
        if (isOutside) copy(scratch[k]!, 0, arrays[k]!, from, count);
      }
      if (changes(this.#factors)) {
        const source = blocks[GRAD]!;
        blocks[GRAD] = space.scratchOf(GRAD);
        this.#treat(kernels, source, blocks[GRAD]!, count);
      }
      this.#call(kernels, space, blocks, count);
      for (let k = 0; k < places.length; k++) {
        if (places[k]! < 0 && k !== GRAD) copy(arrays[k]!, from, scratch[k]!, 0, count);
      }
    }
  }

  #treat(kernels: Kernels, grad: number, out: number, count: number): void {
    if (!changes(this.#factors)) return;
    const { scale, bound, coefficient } = this.#factors;
    kernels.treat(scale, bound, coefficient, grad, out, count);
  }

  #call(kernels: Kernels, { places }: Space, at: readonly number[], count: number): void {
    const { kernel } = this.#scalars;
    const sign = this.#sign;
    const { scalars } = places;
    // By index: what comes after the proof of memory runs no iterator.
    kernels.step(kernel, scalars, sign, at[0]!, at[1]!, at[2]!, at[3]!, at[4]!, at[5]!, count);
  }
}

/** Data, gradient and state; nothing where a rule has less state. */
function arraysOf({ data, grad, state }: Slot): (Floats | undefined)[] {
  const arrays: (Floats | undefined)[] = [data, grad!];
  for (let k = 0; k < STATES; k++) arrays[STATE + k] = state[k];
  return arrays;
}

/** The first state, or the data. */
function homeOf(arrays: readonly (Floats | undefined)[]): Floats {
  for (let k = STATE; k < arrays.length; k++) if (arrays[k] !== undefined) return arrays[k]!;
  return arrays[DATA]!;
}

function changes({ scale, bound, coefficient }: Factors): boolean {
  return scale !== 1 || bound !== Number.POSITIVE_INFINITY || coefficient !== 1;
}

/** From how many floats on a call of `set` is faster than a loop. */
const LOOP = 64;
const { apply } = Reflect;
const { set: setFloats } = Float32Array.prototype;

/** Copies one array to the beginning of another, bits of NaN included. */
function _copyAll(to: Floats, source: Floats): void {
  apply(setFloats, to, [source]);
}

/** Copies a part of one array into another, bits of NaN included. */
export function copy(to: Floats, at: number, source: Floats, from: number, count: number): void {
  if (count <= LOOP) {
    for (let i = 0; i < count; i++) to[at + i] = source[from + i]!;
    return;
  }
  const isWhole = from === 0 && lengthOf(source) === count;
  apply(setFloats, to, [isWhole ? source : viewOf(source, from, count), at]);
}
