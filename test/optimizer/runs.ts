/** Steps with gradients that depend on the number of the step alone, and what they leave. */

import { type Parameter, ParameterArena, type ParameterLike } from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { bits, parameter } from '../support/helpers.ts';

interface Steppable {
  readonly state: ReadonlyMap<ParameterLike, unknown>;
  step(): unknown;
}

/** Makes steps; parameter number `i` of the list gets the same gradients in every run. */
export function steps(
  optimizer: Steppable,
  params: readonly (Parameter | undefined)[],
  numbers: readonly number[],
): void {
  for (const number of numbers) {
    for (const [i, p] of params.entries()) {
      if (p !== undefined) fill(p.ensureGrad(), 'normal', 7 + i, number, 0);
    }
    optimizer.step();
  }
}

/** The bits of data and state. */
export function snapshot(optimizer: Steppable, p: ParameterLike): unknown[] {
  const state = optimizer.state.get(p);
  return Object.entries({ data: p.data, ...(state as object) }).map(([name, part]) => [
    name,
    part instanceof Float32Array ? bits(part) : part,
  ]);
}

const LENGTHS = [19, 5, 33, 7];

/** Four parameters, by themselves or in an arena. */
export const model = (arena = false): Parameter[] => {
  const loose = LENGTHS.map((length) => parameter(length));
  if (!arena) return loose;
  const { parameters } = new ParameterArena(LENGTHS.map((length) => [length]));
  for (const [i, p] of parameters.entries()) p.data.set(loose[i]!.data);
  return [...parameters];
};
