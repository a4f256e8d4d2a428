/** What a random program may do, as data: numbers are taken modulo what there is. */

import fc from 'fast-check';

const n = fc.nat(1000);
const few = fc.array(n, { minLength: 0, maxLength: 4 });

/** A command's name, and what it is given. */
export interface Command {
  readonly name: string;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly list: readonly number[];
}

/** How often each comes, beside the others. */
const WEIGHTS: Readonly<Record<string, number>> = {
  makeParameter: 4,
  makeArena: 1,
  makeOptimizer: 4,
  makeAverage: 3,
  combine: 1,
  addGroup: 2,
  step: 14,
  stepClosure: 2,
  stepAll: 4,
  stepAsync: 3,
  attach: 5,
  detach: 1,
  update: 2,
  swap: 2,
  restore: 2,
  setAveraged: 1,
  zeroGrad: 2,
  setGrad: 6,
  setData: 2,
  transfer: 1,
  resize: 2,
  setOption: 3,
  setStepOption: 3,
  freeze: 1,
  override: 2,
  removeParameters: 1,
  replaceParameter: 2,
  resetState: 1,
  reload: 2,
  clip: 2,
  collect: 1,
  disposeOptimizer: 1,
  disposeAverage: 1,
};

export const command: fc.Arbitrary<Command> = fc.record({
  name: fc.oneof(
    ...Object.entries(WEIGHTS).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name) })),
  ),
  a: n,
  b: n,
  c: n,
  list: few,
});
