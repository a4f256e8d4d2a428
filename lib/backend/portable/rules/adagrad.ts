/** Adagrad; line for line `native/rules/adagrad.h`. */

import { fma } from '../fma.ts';
import { type Arrays, countStep, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly decay: number;
  readonly eps: number;
  readonly negativeLr: number;
  readonly initial: number;
  readonly first: boolean;
  readonly decays: boolean;
}

export const adagrad: Rule<Scalars> = {
  name: 'adagrad',
  fields: ['lr', 'lrDecay', 'eps', 'weightDecay', 'initialAccumulatorValue', 'maximize'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lr, lrDecay, eps, weightDecay, initial] = struct as unknown as number[] as [
      number,
      number,
      number,
      number,
      number,
    ];
    const count = record[0]!; // the decay of lr starts at the second step
    countStep(record);
    return {
      decay: toFloat32(weightDecay),
      eps: toFloat32(eps),
      negativeLr: toFloat32(-(lr / (1 + count * lrDecay))),
      initial: toFloat32(initial),
      first: count === 0,
      decays: weightDecay !== 0,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [sums] = state;
    for (let i = 0; i < length; i++) {
      const param = data[i]!;
      let g = grad[i]!;
      if (s.decays) g = fma(s.decay, param, g);
      const sum = fma(g, g, s.first ? s.initial : sums![i]!);
      sums![i] = sum;
      const denominator = fround(fround(sqrt(sum)) + s.eps);
      data[i] = fround(param + fround(fround(s.negativeLr * g) / denominator));
    }
  },
};
