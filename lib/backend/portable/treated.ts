/** A rule of TypeScript over the slots of a run, with their gradients as the options make them. */

import { type Floats, isWhole, viewOf } from '../../support/typed-arrays.ts';
import type { SteppingRule } from './arithmetic.ts';
import { treated } from './reduce.ts';
import type { Arrays, Rule } from './rules/rule.ts';

/** What is done to one gradient, in this order. */
interface Treatment {
  readonly scale: number;
  readonly bound: number;
  readonly coefficient: number;
  readonly negate: boolean;
}

/** Gradients that are treated are copied block by block: they are read, not written. */
const BLOCK = 4096;
const scratch = new Float32Array(BLOCK);

/** The rule, stepped slot by slot. */
export function portableRule(rule: Rule<unknown>): SteppingRule {
  return {
    fields: rule.fields,
    record: rule.record,
    isOwn: rule.isOwn,
    stateLength: rule.stateLength,
    prepare: (struct, record) => rule.prepare(struct, record),
    step({ slots, scalars, next }, { scale, bound, coefficients }, first, negate) {
      for (let i = 0; i < slots.length; i++) {
        const slot = slots[i]!;
        const coefficient = coefficients?.[first + i] ?? 1;
        updateSlot(rule, scalars, slot as Arrays, { scale, bound, coefficient, negate });
        slot.record.set(next); // at once: a user's own update may throw at the next slot
      }
    },
  };
}

function updateSlot(
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
  if (rule.isOwn || rule.stateLength !== undefined) {
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
      rows: 0,
      columns: 0,
    });
  }
}

/**
 * For rules that take parameters whole: those that see shapes, and a user's own, which tells of a
 * gradient that is gone.
 */
function treatedWhole(grad: Floats, length: number, treatment: Treatment): Floats {
  if (!isWhole(grad, length)) return grad;
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
