/** AdEMAMix; line for line `native/rules/ademamix.h`. */

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
  readonly fast: Lerp;
  readonly slow: Lerp;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  readonly correction1: number;
  readonly rootCorrection2: number;
  readonly eps: number;
  readonly alpha: number;
  readonly weightDecay: number;
  readonly negativeLr: number;
  readonly decays: boolean;
}

function lerp(by: Lerp, start: number, end: number): number {
  return fma(by.weight, fround(end - start), by.far ? end : start);
}

export const ademamix: Rule<Scalars> = {
  name: 'ademamix',
  fields: [
    'lr',
    'beta1',
    'beta2',
    'beta3',
    'alpha',
    'eps',
    'weightDecay',
    'alphaWarmup',
    'maximize',
  ],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lr, beta1, beta2, beta3] = [struct[0]!, struct[1]!, struct[2]!, struct[3]!];
    const [alpha, alphaWarmup] = [struct[4]!, struct[7]!];
    const step = countStep(record);
    const rises = step < alphaWarmup;
    return {
      fast: toLerp(1 - beta1),
      slow: toLerp(1 - beta3),
      beta2: toFloat32(beta2),
      oneMinusBeta2: toFloat32(1 - beta2),
      correction1: toFloat32(1 - power(beta1, step)),
      rootCorrection2: toFloat32(sqrt(1 - power(beta2, step))),
      eps: toFloat32(struct[5]!),
      alpha: toFloat32(rises ? (alpha * step) / alphaWarmup : alpha),
      weightDecay: toFloat32(struct[6]!),
      negativeLr: toFloat32(-lr),
      decays: struct[6] !== 0,
    };
  },

  update(s, { data, grad, state, length }: Arrays) {
    const [expAvgs, expAvgSlows, expAvgSqs] = state;
    for (let i = 0; i < length; i++) {
      const param = data[i]!;
      const g = grad[i]!;
      const fast = lerp(s.fast, expAvgs![i]!, g);
      const slow = lerp(s.slow, expAvgSlows![i]!, g);
      const scaled = fround(s.oneMinusBeta2 * g);
      const second = fma(scaled, g, fround(expAvgSqs![i]! * s.beta2));
      expAvgs![i] = fast;
      expAvgSlows![i] = slow;
      expAvgSqs![i] = second;
      const denominator = fround(fround(fround(sqrt(second)) / s.rootCorrection2) + s.eps);
      const mixed = fma(s.alpha, slow, fround(fast / s.correction1));
      let update = fround(mixed / denominator);
      if (s.decays) update = fma(s.weightDecay, param, update);
      data[i] = fma(s.negativeLr, update, param);
    }
  },
};
