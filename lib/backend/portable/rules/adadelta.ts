/** Adadelta; line for line `native/rules/adadelta.h`. */

import { fma } from '../fma.ts';
import { type Arrays, countStep, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly decay: number;
  readonly rho: number;
  readonly oneMinusRho: number;
  readonly eps: number;
  readonly negativeLr: number;
  readonly decays: boolean;
}

export const adadelta: Rule<Scalars> = {
  name: 'adadelta',
  fields: ['lr', 'rho', 'eps', 'weightDecay', 'maximize'],
  record: STEP_COUNT,

  prepare(struct, record) {
    countStep(record);
    const [lr, rho, eps, weightDecay] = struct as unknown as number[] as [
      number,
      number,
      number,
      number,
    ];
    return {
      decay: toFloat32(weightDecay),
      rho: toFloat32(rho),
      oneMinusRho: toFloat32(1 - rho),
      eps: toFloat32(eps),
      negativeLr: toFloat32(-lr),
      decays: weightDecay !== 0,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [squareAvgs, accDeltas] = state;
    for (let i = 0; i < length; i++) {
      const param = data[i]!;
      let g = grad[i]!;
      if (s.decays) g = fma(s.decay, param, g);
      const squareAvg = fma(fround(s.oneMinusRho * g), g, fround(squareAvgs![i]! * s.rho));
      squareAvgs![i] = squareAvg;
      const accDelta = accDeltas![i]!;
      const above = fround(sqrt(fround(accDelta + s.eps)));
      const below = fround(sqrt(fround(squareAvg + s.eps)));
      const delta = fround(fround(above / below) * g);
      accDeltas![i] = fma(fround(s.oneMinusRho * delta), delta, fround(accDelta * s.rho));
      data[i] = fma(s.negativeLr, delta, param);
    }
  },
};
