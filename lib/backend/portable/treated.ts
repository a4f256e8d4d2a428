/** A rule over one parameter, with its gradient as the step's options make it. */

import type { Arrays, Rule } from './rules/rule.ts';

/** Gradients that are treated are copied block by block: they are read, not written. */
const BLOCK = 4096;
const scratch = new Float32Array(BLOCK);

/** Updates one parameter; `negate` turns the sign of its gradient. */
export function updateSlot(
  rule: Rule<unknown>,
  scalars: unknown,
  arrays: Arrays,
  negate: boolean,
): void {
  if (!negate) {
    rule.update(scalars, arrays);
    return;
  }
  const { data, grad, state, length } = arrays;
  for (let from = 0; from < length; from += BLOCK) {
    const to = Math.min(from + BLOCK, length);
    for (let i = from; i < to; i++) scratch[i - from] = -grad[i]!;
    rule.update(scalars, {
      data: data.subarray(from, to),
      grad: scratch,
      state: state.map((array) => array.subarray(from, to)),
      length: to - from,
    });
  }
}
