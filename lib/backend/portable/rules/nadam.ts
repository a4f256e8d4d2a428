/** NAdam; line for line `native/rules/nadam.h`. */

import { power } from '../../../support/power.ts';
import { fma } from '../fma.ts';
import { type Arrays, countStep, type Lerp, type Rule, toFloat32, toLerp } from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly decay: number;
  readonly lerp: Lerp;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  readonly correction2: number;
  readonly eps: number;
  readonly gradStep: number;
  readonly momentumStep: number;
  readonly decays: boolean;
  readonly decoupled: boolean;
}

type Struct = [
  lr: number,
  beta1: number,
  beta2: number,
  eps: number,
  weightDecay: number,
  momentumDecay: number,
  decoupledWeightDecay: number,
];

/** The momentum of a step, which grows from beta1 / 2 to beta1. */
function momentum(beta1: number, momentumDecay: number, step: number): number {
  return beta1 * (1 - 0.5 * power(0.96, step * momentumDecay));
}

export const nadam: Rule<Scalars> = {
  name: 'nadam',
  fields: [
    'lr',
    'beta1',
    'beta2',
    'eps',
    'weightDecay',
    'momentumDecay',
    'decoupledWeightDecay',
    'maximize',
  ],
  record: ['step', 'muProduct'], // muProduct: a float32, as torch keeps it

  prepare(struct, record) {
    const [lr, beta1, beta2, eps, weightDecay, momentumDecay, decoupledWeightDecay] =
      struct as unknown as Struct;
    if (record[0] === 0) record[1] = 1;
    const step = countStep(record);
    const mu = momentum(beta1, momentumDecay, step);
    const muNext = momentum(beta1, momentumDecay, step + 1);
    const muProduct = fround(fround(record[1]!) * toFloat32(mu));
    record[1] = muProduct;
    const decoupled = decoupledWeightDecay !== 0;
    return {
      decay: toFloat32(decoupled ? 1 - lr * weightDecay : weightDecay),
      lerp: toLerp(1 - beta1),
      beta2: toFloat32(beta2),
      oneMinusBeta2: toFloat32(1 - beta2),
      correction2: toFloat32(1 - power(beta2, step)),
      eps: toFloat32(eps),
      gradStep: toFloat32((-lr * (1 - mu)) / (1 - muProduct)),
      momentumStep: toFloat32((-lr * muNext) / (1 - muProduct * muNext)),
      decays: weightDecay !== 0,
      decoupled,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [expAvgs, expAvgSqs] = state;
    for (let i = 0; i < length; i++) {
      let param = data[i]!;
      let g = grad[i]!;
      if (s.decays && s.decoupled) param = fround(param * s.decay);
      else if (s.decays) g = fma(s.decay, param, g);
      const old = expAvgs![i]!;
      const expAvg = fma(s.lerp.weight, fround(g - old), s.lerp.far ? g : old);
      const scaled = fround(s.oneMinusBeta2 * g);
      const expAvgSq = fma(scaled, g, fround(expAvgSqs![i]! * s.beta2));
      expAvgs![i] = expAvg;
      expAvgSqs![i] = expAvgSq;
      const denominator = fround(fround(sqrt(fround(expAvgSq / s.correction2))) + s.eps);
      param = fround(param + fround(fround(s.gradStep * g) / denominator));
      data[i] = fround(param + fround(fround(s.momentumStep * expAvg) / denominator));
    }
  },
};
