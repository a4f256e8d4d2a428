/** Adamax; line for line `native/rules/adamax.h`. */

import { power } from '../../../support/power.ts';
import { fma } from '../fma.ts';
import {
  type Arrays,
  countStep,
  type Lerp,
  maximum,
  type Rule,
  STEP_COUNT,
  toFloat32,
  toLerp,
} from './rule.ts';

const { abs, fround } = Math;

interface Scalars {
  readonly decay: number;
  readonly lerp: Lerp;
  readonly beta2: number;
  readonly eps: number;
  readonly negativeStepSize: number;
  readonly decays: boolean;
}

export const adamax: Rule<Scalars> = {
  name: 'adamax',
  fields: ['lr', 'beta1', 'beta2', 'eps', 'weightDecay', 'maximize'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lr, beta1, beta2, eps, weightDecay] = struct as unknown as number[] as [
      number,
      number,
      number,
      number,
      number,
    ];
    const correction = 1 - power(beta1, countStep(record));
    return {
      decay: toFloat32(weightDecay),
      lerp: toLerp(1 - beta1),
      beta2: toFloat32(beta2),
      eps: toFloat32(eps),
      negativeStepSize: toFloat32(-(lr / correction)),
      decays: weightDecay !== 0,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [expAvgs, expInfs] = state;
    for (let i = 0; i < length; i++) {
      const param = data[i]!;
      let g = grad[i]!;
      if (s.decays) g = fma(s.decay, param, g);
      const old = expAvgs![i]!;
      const expAvg = fma(s.lerp.weight, fround(g - old), s.lerp.far ? g : old);
      expAvgs![i] = expAvg;
      const expInf = maximum(fround(expInfs![i]! * s.beta2), fround(abs(g) + s.eps));
      expInfs![i] = expInf;
      data[i] = fround(param + fround(fround(s.negativeStepSize * expAvg) / expInf));
    }
  },
};
