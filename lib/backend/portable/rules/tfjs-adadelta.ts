/** Adadelta of TensorFlow.js; line for line `native/rules/tfjs_adadelta.h`. */

import { type Arrays, countStep, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly negativeLr: number;
  readonly rho: number;
  readonly oneMinusRho: number;
  readonly eps: number;
}

export const tfjsAdadelta: Rule<Scalars> = {
  name: 'tfjsAdadelta',
  fields: ['lr', 'rho', 'eps'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lr, rho, eps] = struct as unknown as [number, number, number];
    countStep(record);
    return {
      negativeLr: toFloat32(-lr),
      rho: toFloat32(rho),
      oneMinusRho: toFloat32(1 - rho),
      eps: toFloat32(eps),
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [accumGrads, accumVars] = state;
    const average = (old: number, x: number) => {
      return fround(fround(old * s.rho) + fround(fround(x * x) * s.oneMinusRho));
    };
    for (let i = 0; i < length; i++) {
      const g = grad[i]!;
      const accumGrad = accumGrads![i]!;
      const accumVar = accumVars![i]!;
      const root = fround(sqrt(fround(accumVar + s.eps)));
      const change = fround(fround(root / fround(sqrt(fround(accumGrad + s.eps)))) * g);
      accumGrads![i] = average(accumGrad, g);
      accumVars![i] = average(accumVar, change);
      data[i] = fround(fround(change * s.negativeLr) + data[i]!);
    }
  },
};
