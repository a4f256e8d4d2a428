/** Adamax of TensorFlow.js; line for line `native/rules/tfjs_adamax.h`. */

import { type Arrays, countStep, maximum, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { abs, fround } = Math;

interface Scalars {
  readonly beta1: number;
  readonly oneMinusBeta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly negativeStepSize: number;
}

type Struct = [
  lr: number,
  beta1: number,
  beta2: number,
  eps: number,
  decay: number,
  beta1Power: number,
  iteration: number,
];

export const tfjsAdamax: Rule<Scalars> = {
  name: 'tfjsAdamax',
  fields: ['lr', 'beta1', 'beta2', 'eps', 'decay', 'beta1Power', 'iteration'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lr, beta1, beta2, eps, decay, beta1Power, iteration] = struct as unknown as Struct;
    countStep(record);
    const decayed = fround(fround(toFloat32(iteration) * toFloat32(decay)) + 1);
    const rate = fround(toFloat32(-lr) / decayed);
    return {
      beta1: toFloat32(beta1),
      oneMinusBeta1: toFloat32(1 - beta1),
      beta2: toFloat32(beta2),
      eps: toFloat32(eps),
      negativeStepSize: fround(rate / fround(1 - toFloat32(beta1Power))),
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [ms, vs] = state;
    for (let i = 0; i < length; i++) {
      const g = grad[i]!;
      const m = fround(fround(ms![i]! * s.beta1) + fround(g * s.oneMinusBeta1));
      const v = maximum(fround(vs![i]! * s.beta2), abs(g));
      ms![i] = m;
      vs![i] = v;
      const change = fround(m / fround(v + s.eps));
      data[i] = fround(fround(change * s.negativeStepSize) + data[i]!);
    }
  },
};
