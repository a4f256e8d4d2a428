/** The usual mistake: a step that finds no gradient at all. */

import { warn } from '../support/warn.ts';

/** What this needs of a `Stepper`. */
interface Stepped {
  readonly slots: { readonly size: number; readonly allFrozen: boolean };
}

/** Warns, unless there was nothing to step, or everything is frozen. */
export function warnOfNoGradient(steppers: readonly Stepped[]): void {
  if (steppers.every(({ slots }) => slots.allFrozen)) return;
  const size = steppers.reduce((sum, { slots }) => sum + slots.size, 0);
  warn(
    'WARN_NO_GRADIENT',
    `step() found no gradient and moved nothing: none of ${size} parameters has one. Write ` +
      'gradients into parameter.ensureGrad(), or assign them to parameter.grad, between zeroGrad() ' +
      'and step(): zeroGrad() drops them unless it is given { setToNone: false }',
  );
}
