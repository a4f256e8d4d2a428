/** RMSprop; line for line `native/rules/rmsprop.h`. */

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
  readonly alpha: number;
  readonly oneMinusAlpha: number;
  readonly lerp: Lerp;
  readonly eps: number;
  readonly momentum: number;
  readonly negativeLr: number;
  readonly decays: boolean;
  readonly centered: boolean;
  readonly hasMomentum: boolean;
}

export const rmsprop: Rule<Scalars> = {
  name: 'rmsprop',
  fields: ['lr', 'momentum', 'alpha', 'eps', 'centered', 'weightDecay', 'maximize'],
  record: STEP_COUNT,

  prepare(struct, record) {
    countStep(record);
    const [lr, momentum, alpha, eps, centered, weightDecay] = struct as unknown as number[] as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return {
      decay: toFloat32(weightDecay),
      alpha: toFloat32(alpha),
      oneMinusAlpha: toFloat32(1 - alpha),
      lerp: toLerp(1 - alpha),
      eps: toFloat32(eps),
      momentum: toFloat32(momentum),
      negativeLr: toFloat32(-lr),
      decays: weightDecay !== 0,
      centered: centered !== 0,
      hasMomentum: momentum > 0,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [squareAvgs, buffers, gradAvgs] = state;
    for (let i = 0; i < length; i++) {
      const param = data[i]!;
      let g = grad[i]!;
      if (s.decays) g = fma(s.decay, param, g);
      const scaled = fround(s.oneMinusAlpha * g);
      const squareAvg = fma(scaled, g, fround(squareAvgs![i]! * s.alpha));
      squareAvgs![i] = squareAvg;
      let variance = squareAvg;
      if (s.centered) {
        const old = gradAvgs![i]!;
        const gradAvg = fma(s.lerp.weight, fround(g - old), s.lerp.far ? g : old);
        gradAvgs![i] = gradAvg;
        variance = fma(-gradAvg, gradAvg, squareAvg);
      }
      const average = fround(fround(sqrt(variance)) + s.eps);
      if (s.hasMomentum) {
        const buffer = fround(fround(buffers![i]! * s.momentum) + fround(g / average));
        buffers![i] = buffer;
        data[i] = fma(s.negativeLr, buffer, param);
      } else {
        data[i] = fround(param + fround(fround(s.negativeLr * g) / average));
      }
    }
  },
};
