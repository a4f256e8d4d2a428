/** RAdam; line for line `native/rules/radam.h`. */

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
  readonly decay: number;
  readonly lerp: Lerp;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  readonly correction1: number;
  readonly rootCorrection2: number;
  readonly eps: number;
  readonly lr: number;
  readonly rectified: boolean;
  readonly rectification: number;
  readonly decays: boolean;
  readonly decoupled: boolean;
}

export const radam: Rule<Scalars> = {
  name: 'radam',
  fields: ['lr', 'beta1', 'beta2', 'eps', 'weightDecay', 'maximize', 'decoupledWeightDecay'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lr, beta1, beta2, eps, weightDecay, , decoupledWeightDecay] =
      struct as unknown as number[] as [number, number, number, number, number, number, number];
    const step = countStep(record);
    const power2 = power(beta2, step);
    const correction1 = 1 - power(beta1, step);
    const correction2 = 1 - power2;
    // The length of the average, and whether it is long enough for its variance to be trusted.
    const rhoInf = 2 / (1 - beta2) - 1;
    const rho = rhoInf - (2 * step * power2) / correction2;
    const rectified = rho > 5;
    const rectification = sqrt(
      ((rho - 4) * (rho - 2) * rhoInf) / ((rhoInf - 4) * (rhoInf - 2) * rho),
    );
    const decoupled = decoupledWeightDecay !== 0;
    return {
      decay: toFloat32(decoupled ? 1 - lr * weightDecay : weightDecay),
      lerp: toLerp(1 - beta1),
      beta2: toFloat32(beta2),
      oneMinusBeta2: toFloat32(1 - beta2),
      correction1: toFloat32(correction1),
      rootCorrection2: toFloat32(sqrt(correction2)),
      eps: toFloat32(eps),
      lr: toFloat32(lr),
      rectified,
      rectification: rectified ? toFloat32(rectification) : 0,
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
      let change = fround(fround(expAvg / s.correction1) * s.lr);
      if (s.rectified) {
        // torch's scalar / tensor: the reciprocal, rounded, times the scalar.
        const reciprocal = fround(1 / fround(fround(sqrt(expAvgSq)) + s.eps));
        const adaptive = fround(reciprocal * s.rootCorrection2);
        change = fround(fround(change * adaptive) * s.rectification);
      }
      data[i] = fround(param - change);
    }
  },
};
