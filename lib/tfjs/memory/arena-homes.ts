/** Where variables lie that were moved into an arena. */

import type { Floats } from '../../support/typed-arrays.ts';
import type { VariableLike } from '../tensorflow.ts';

const homes = new WeakMap<VariableLike, Floats>();

/** The array of a variable, if it is in an arena. */
export function homeOf(variable: VariableLike): Floats | undefined {
  return homes.get(variable);
}

export function setHome(variable: VariableLike, home: Floats): void {
  homes.set(variable, home);
}
