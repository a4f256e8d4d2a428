/** An update rule whose scalars and steps the kernels compute. */

import {
  bufferOf,
  byteOffsetOf,
  type Floats,
  lengthOf,
  viewOf,
} from '../../support/typed-arrays.ts';
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
    const at = (array: number) => space.scratchOf(array);
    this.#call(kernels, space, [0, 1, 2, 3, 4, 5].map(at), this.#waiting);
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
  #stepLong({ data, grad, state, length }: Slot): void {
    const home = state.find((array) => array !== undefined) ?? data;
    const space = spaceOf(home) ?? commonSpace();
    const kernels = kernelsOf(space);
    space.scalars.set(this.#scalars.values);
    const arrays: (Floats | undefined)[] = [data, grad!, ...state];
    const places = arrays.map((array) => (array === undefined ? 0 : space.addressOf(array)));
    while (places.length < STATE + STATES) places.push(0);
    const isTreated = changes(this.#factors);
    if (!isTreated && places.every((place) => place >= 0)) {
      this.#call(kernels, space, places, length);
      return;
    }
    const buffers = arrays.map((array) => (array === undefined ? undefined : bufferOf(array)));
    const offsets = arrays.map((array) => (array === undefined ? 0 : byteOffsetOf(array)));
    for (let from = 0; from < length; from += BLOCK) {
      const count = Math.min(BLOCK, length - from);
      const block = places.map((place, k) => (place < 0 ? space.scratchOf(k) : place + from * 4));
      const outside: (Floats | undefined)[] = [];
      for (let k = 0; k < arrays.length; k++) {
        if (places[k]! >= 0) continue;
        outside[k] = new Float32Array(buffers[k]!, offsets[k]! + from * 4, count);
        copyAll(space.scratch[k]!, outside[k]!);
      }
      if (isTreated) {
        const source = block[GRAD]!;
        block[GRAD] = space.scratchOf(GRAD);
        this.#treat(kernels, source, block[GRAD], count);
      }
      this.#call(kernels, space, block, count);
      for (let k = 0; k < outside.length; k++) {
        if (outside[k] === undefined || k === GRAD) continue;
        copyAll(
          outside[k]!,
          count < BLOCK ? viewOf(space.scratch[k]!, 0, count) : space.scratch[k]!,
        );
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
    const [data, grad, state0, state1, state2, state3] = at as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const sign = this.#sign;
    kernels.step(kernel, places.scalars, sign, data, grad, state0, state1, state2, state3, count);
  }
}

function changes({ scale, bound, coefficient }: Factors): boolean {
  return scale !== 1 || bound !== Number.POSITIVE_INFINITY || coefficient !== 1;
}

/** From how many floats on a call of `set` is faster than a loop. */
const LOOP = 64;
const { apply } = Reflect;
const { set: setFloats } = Float32Array.prototype;

/** Copies one array to the beginning of another, bits of NaN included. */
function copyAll(to: Floats, source: Floats): void {
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
