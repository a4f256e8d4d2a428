/** Lion; line for line `native/rules/lion.h`. */

import { fma } from '../fma.ts';
import { type Arrays, countStep, type Rule, STEP_COUNT, sign, toFloat32 } from './rule.ts';

const { fround } = Math;

interface Scalars {
  readonly decay: number;
  readonly beta1: number;
  readonly oneMinusBeta1: number;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  readonly negativeLr: number;
  readonly decays: boolean;
}

export const lion: Rule<Scalars> = {
  name: 'lion',
  fields: ['lr', 'beta1', 'beta2', 'weightDecay', 'maximize'],
  record: STEP_COUNT,

  prepare(struct, record) {
    countStep(record);
    const [lr, beta1, beta2, weightDecay] = struct as unknown as number[] as [
      number,
      number,
      number,
      number,
    ];
    return {
      decay: toFloat32(1 - lr * weightDecay),
      beta1: toFloat32(beta1),
      oneMinusBeta1: toFloat32(1 - beta1),
      beta2: toFloat32(beta2),
      oneMinusBeta2: toFloat32(1 - beta2),
      negativeLr: toFloat32(-lr),
      decays: weightDecay !== 0,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [expAvgs] = state;
    for (let i = 0; i < length; i++) {
      let param = data[i]!;
      const g = grad[i]!;
      if (s.decays) param = fround(param * s.decay);
      const expAvg = expAvgs![i]!;
      const direction = sign(fma(s.oneMinusBeta1, g, fround(expAvg * s.beta1)));
      expAvgs![i] = fma(s.oneMinusBeta2, g, fround(expAvg * s.beta2));
      data[i] = fma(s.negativeLr, direction, param);
    }
  },
};
