/** LAMB; line for line `native/rules/lamb.h`. */

import { power } from '../../../support/power.ts';
import { fma } from '../fma.ts';
import { sumOfSquares } from '../reduce.ts';
import { countStep, type Lerp, type Rule, STEP_COUNT, toFloat32, toLerp } from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly lr: number;
  readonly lerp: Lerp;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  readonly correction1: number;
  readonly rootCorrection2: number;
  readonly eps: number;
  readonly weightDecay: number;
  readonly decays: boolean;
  readonly adapts: boolean;
}

export const lamb: Rule<Scalars> = {
  name: 'lamb',
  fields: [
    'lr',
    'beta1',
    'beta2',
    'eps',
    'weightDecay',
    'biasCorrection',
    'alwaysAdapt',
    'maximize',
  ],
  record: STEP_COUNT,

  stateLength: ({ length }) => length,

  prepare(struct, record) {
    const [lr, beta1, beta2] = [struct[0]!, struct[1]!, struct[2]!];
    const step = countStep(record);
    const corrects = struct[5] !== 0;
    toFloat32(lr); // refused if float32 cannot hold it
    return {
      lr,
      lerp: toLerp(1 - beta1),
      beta2: toFloat32(beta2),
      oneMinusBeta2: toFloat32(1 - beta2),
      correction1: toFloat32(corrects ? 1 - power(beta1, step) : 1),
      rootCorrection2: toFloat32(corrects ? sqrt(1 - power(beta2, step)) : 1),
      eps: toFloat32(struct[3]!),
      weightDecay: toFloat32(struct[4]!),
      decays: struct[4] !== 0,
      adapts: struct[4] !== 0 || struct[6] !== 0,
    };
  },

  update(s, { data, grad, state, length }) {
    const [expAvgs, expAvgSqs] = state;
    for (let i = 0; i < length; i++) {
      const g = grad[i]!;
      const before = expAvgs![i]!;
      expAvgs![i] = fma(s.lerp.weight, fround(g - before), s.lerp.far ? g : before);
      expAvgSqs![i] = fma(fround(s.oneMinusBeta2 * g), g, fround(expAvgSqs![i]! * s.beta2));
    }
    const updateAt = (i: number) => updateOf(s, data[i]!, expAvgs![i]!, expAvgSqs![i]!);
    const norm = fround(sqrt(sumOfSquares(length, (i) => data[i]!)));
    const size = fround(sqrt(sumOfSquares(length, updateAt)));
    const trust = s.adapts && norm > 0 && size > 0 ? fround(norm / size) : 1;
    const factor = fround(-(s.lr * trust));
    for (let i = 0; i < length; i++) data[i] = fma(factor, updateAt(i), data[i]!);
  },
};

function updateOf(s: Scalars, param: number, first: number, second: number): number {
  const denominator = fround(fround(fround(sqrt(second)) / s.rootCorrection2) + s.eps);
  const update = fround(fround(first / s.correction1) / denominator);
  return s.decays ? fma(s.weightDecay, param, update) : update;
}
