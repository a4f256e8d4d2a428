/** Adamax; line for line `native/rules/adamax.h`. */

import { fma } from '../fma.ts';
import { power } from '../power.ts';
import { type Arrays, type Lerp, maximum, type Rule, toFloat32, toLerp } from './rule.ts';

const { abs, fround } = Math;

interface Scalars {
  readonly decay: number;
  readonly lerp: Lerp;
  readonly beta2: number;
  readonly eps: number;
  readonly negativeStepSize: number;
  readonly decays: boolean;
  readonly maximize: boolean;
}

export const adamax: Rule<Scalars> = {
  name: 'adamax',
  fields: ['lr', 'beta1', 'beta2', 'eps', 'weightDecay', 'maximize'],
  counts: () => true,

  prepare(struct, count) {
    const [lr, beta1, beta2, eps, weightDecay, maximize] = struct as unknown as number[] as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const correction = 1 - power(beta1, count + 1);
    return {
      decay: toFloat32(weightDecay),
      lerp: toLerp(1 - beta1),
      beta2: toFloat32(beta2),
      eps: toFloat32(eps),
      negativeStepSize: toFloat32(-(lr / correction)),
      decays: weightDecay !== 0,
      maximize: maximize !== 0,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [expAvgs, expInfs] = state;
    for (let i = 0; i < length; i++) {
      const param = data[i]!;
      let g = s.maximize ? -grad[i]! : grad[i]!;
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
