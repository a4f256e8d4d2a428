/** Adam of TensorFlow.js; line for line `native/rules/tfjs_adam.h`. */

import { type Arrays, countStep, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly beta1: number;
  readonly oneMinusBeta1: number;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  readonly correction1: number;
  readonly correction2: number;
  readonly eps: number;
  readonly negativeLr: number;
}

type Struct = [
  lr: number,
  beta1: number,
  beta2: number,
  eps: number,
  beta1Power: number,
  beta2Power: number,
];

export const tfjsAdam: Rule<Scalars> = {
  name: 'tfjsAdam',
  fields: ['lr', 'beta1', 'beta2', 'eps', 'beta1Power', 'beta2Power'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lr, beta1, beta2, eps, beta1Power, beta2Power] = struct as unknown as Struct;
    countStep(record);
    return {
      beta1: toFloat32(beta1),
      oneMinusBeta1: toFloat32(1 - beta1),
      beta2: toFloat32(beta2),
      oneMinusBeta2: toFloat32(1 - beta2),
      correction1: fround(1 - toFloat32(beta1Power)),
      correction2: fround(1 - toFloat32(beta2Power)),
      eps: toFloat32(eps),
      negativeLr: toFloat32(-lr),
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [ms, vs] = state;
    for (let i = 0; i < length; i++) {
      const g = grad[i]!;
      const m = fround(fround(ms![i]! * s.beta1) + fround(g * s.oneMinusBeta1));
      const square = fround(g * g);
      const v = fround(fround(vs![i]! * s.beta2) + fround(square * s.oneMinusBeta2));
      ms![i] = m;
      vs![i] = v;
      const denominator = fround(fround(sqrt(fround(v / s.correction2))) + s.eps);
      const change = fround(fround(m / s.correction1) / denominator);
      data[i] = fround(fround(change * s.negativeLr) + data[i]!);
    }
  },
};
