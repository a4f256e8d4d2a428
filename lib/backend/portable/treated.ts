/** A rule over one parameter, with its gradient as the step's options make it. */

import { type Floats, isGone, viewOf } from '../../support/typed-arrays.ts';
import { treated } from './reduce.ts';
import type { Arrays, Rule } from './rules/rule.ts';

/** What is done to a gradient on its way into the rule, in this order. */
export interface Treatment {
  readonly scale: number;
  /** Clamps to [-bound, bound]. */
  readonly bound: number;
  readonly coefficient: number;
  readonly negate: boolean;
}

/** Gradients that are treated are copied block by block: they are read, not written. */
const BLOCK = 4096;
const scratch = new Float32Array(BLOCK);

/** Updates one parameter. */
export function updateSlot(
  rule: Rule<unknown>,
  scalars: unknown,
  arrays: Arrays,
  treatment: Treatment,
): void {
  if (!changes(treatment)) {
    rule.update(scalars, arrays);
    return;
  }
  const { data, grad, state, length } = arrays;
  if (rule.isOwn) {
    rule.update(scalars, { ...arrays, grad: treatedWhole(grad, length, treatment) });
    return;
  }
  for (let from = 0; from < length; from += BLOCK) {
    const to = Math.min(from + BLOCK, length);
    for (let i = from; i < to; i++) scratch[i - from] = treat(grad[i]!, treatment);
    const states: Floats[] = [];
    for (let k = 0; k < state.length; k++) {
      if (state[k] !== undefined) states[k] = viewOf(state[k]!, from, to - from);
    }
    rule.update(scalars, {
      data: viewOf(data, from, to - from),
      grad: scratch,
      state: states,
      length: to - from,
    });
  }
}

/** For a user's own rule, which takes parameters whole, and tells of a gradient that is gone. */
function treatedWhole(grad: Floats, length: number, treatment: Treatment): Floats {
  if (isGone(grad)) return grad;
  const copy = new Float32Array(length);
  for (let i = 0; i < length; i++) copy[i] = treat(grad[i]!, treatment);
  return copy;
}

function changes({ scale, bound, coefficient, negate }: Treatment): boolean {
  return negate || scale !== 1 || bound !== Number.POSITIVE_INFINITY || coefficient !== 1;
}

function treat(grad: number, { scale, bound, coefficient, negate }: Treatment): number {
  const value = Math.fround(treated(grad, scale, bound) * coefficient);
  return negate ? -value : value;
}
