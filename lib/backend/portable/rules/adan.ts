/** Adan; line for line `native/rules/adan.h`. */

import { power } from '../../../support/power.ts';
import { fma } from '../fma.ts';
import {
  type Arrays,
  countStep,
  type Lerp,
  type Rule,
  STEP_COUNT,
  toFloat32,
  toLerp,
} from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly first: Lerp;
  readonly difference: Lerp;
  readonly beta2: number;
  readonly beta3: number;
  readonly oneMinusBeta3: number;
  readonly rootCorrection3: number;
  readonly eps: number;
  readonly negativeStepSize: number;
  readonly negativeDiffSize: number;
  readonly decay: number;
  readonly decays: boolean;
  readonly proximal: boolean;
  readonly isFirst: boolean;
}

function lerp(by: Lerp, start: number, end: number): number {
  return fma(by.weight, fround(end - start), by.far ? end : start);
}

export const adan: Rule<Scalars> = {
  name: 'adan',
  fields: ['lr', 'beta1', 'beta2', 'beta3', 'eps', 'weightDecay', 'noProx', 'maximize'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lr, beta1, beta2, beta3] = [struct[0]!, struct[1]!, struct[2]!, struct[3]!];
    const weightDecay = struct[5]!;
    const step = countStep(record);
    const correction1 = 1 - power(beta1, step);
    const correction2 = 1 - power(beta2, step);
    const correction3 = 1 - power(beta3, step);
    const proximal = struct[6] === 0;
    return {
      first: toLerp(1 - beta1),
      difference: toLerp(1 - beta2),
      beta2: toFloat32(beta2),
      beta3: toFloat32(beta3),
      oneMinusBeta3: toFloat32(1 - beta3),
      rootCorrection3: toFloat32(sqrt(correction3)),
      eps: toFloat32(struct[4]!),
      negativeStepSize: toFloat32(-(lr / correction1)),
      negativeDiffSize: toFloat32(-((lr * beta2) / correction2)),
      decay: toFloat32(proximal ? 1 + lr * weightDecay : 1 - lr * weightDecay),
      decays: weightDecay !== 0,
      proximal,
      isFirst: step === 1,
    };
  },

  update(s, { data, grad, state, length }: Arrays) {
    const [expAvgs, expAvgDiffs, expAvgSqs, previousGrads] = state;
    for (let i = 0; i < length; i++) {
      let param = data[i]!;
      const g = grad[i]!;
      const change = fround(g - (s.isFirst ? g : previousGrads![i]!));
      const first = lerp(s.first, expAvgs![i]!, g);
      const difference = lerp(s.difference, expAvgDiffs![i]!, change);
      const ahead = fma(s.beta2, change, g);
      const scaled = fround(s.oneMinusBeta3 * ahead);
      const second = fma(scaled, ahead, fround(expAvgSqs![i]! * s.beta3));
      expAvgs![i] = first;
      expAvgDiffs![i] = difference;
      expAvgSqs![i] = second;
      previousGrads![i] = g;
      const denominator = fround(fround(fround(sqrt(second)) / s.rootCorrection3) + s.eps);
      if (s.decays && !s.proximal) param = fround(param * s.decay);
      param = fround(param + fround(fround(s.negativeStepSize * first) / denominator));
      param = fround(param + fround(fround(s.negativeDiffSize * difference) / denominator));
      data[i] = s.decays && s.proximal ? fround(param / s.decay) : param;
    }
  },
};
