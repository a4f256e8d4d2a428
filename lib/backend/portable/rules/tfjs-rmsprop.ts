/** RMSProp of TensorFlow.js; line for line `native/rules/tfjs_rmsprop.h`. */

import { type Arrays, countStep, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly lr: number;
  readonly decay: number;
  readonly oneMinusDecay: number;
  readonly momentum: number;
  readonly eps: number;
  readonly centered: boolean;
}

type Struct = [lr: number, decay: number, momentum: number, eps: number, centered: number];

export const tfjsRmsprop: Rule<Scalars> = {
  name: 'tfjsRmsprop',
  fields: ['lr', 'decay', 'momentum', 'eps', 'centered'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lr, decay, momentum, eps, centered] = struct as unknown as Struct;
    countStep(record);
    return {
      lr: toFloat32(lr),
      decay: toFloat32(decay),
      oneMinusDecay: toFloat32(1 - decay),
      momentum: toFloat32(momentum),
      eps: toFloat32(eps),
      centered: centered !== 0,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [squares, momenta, means] = state;
    for (let i = 0; i < length; i++) {
      const g = grad[i]!;
      const square = fround(g * g);
      const rms = fround(fround(squares![i]! * s.decay) + fround(square * s.oneMinusDecay));
      squares![i] = rms;
      let variance = fround(rms + s.eps);
      if (s.centered) {
        const mg = fround(fround(means![i]! * s.decay) + fround(g * s.oneMinusDecay));
        means![i] = mg;
        variance = fround(rms - fround(fround(mg * mg) + s.eps));
      }
      const change = fround(fround(g * s.lr) / fround(sqrt(variance)));
      const momentum = fround(fround(momenta![i]! * s.momentum) + change);
      momenta![i] = momentum;
      data[i] = fround(data[i]! - momentum);
    }
  },
};
