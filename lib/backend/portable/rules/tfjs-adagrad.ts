/** Adagrad of TensorFlow.js; line for line `native/rules/tfjs_adagrad.h`. */

import { type Arrays, countStep, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly negativeLr: number;
  readonly initial: number;
  readonly eps: number;
  readonly first: boolean;
}

export const tfjsAdagrad: Rule<Scalars> = {
  name: 'tfjsAdagrad',
  fields: ['lr', 'initialAccumulatorValue', 'eps'],
  record: STEP_COUNT,

  prepare(struct, record) {
    return {
      negativeLr: toFloat32(-struct[0]!),
      initial: toFloat32(struct[1]!),
      eps: toFloat32(struct[2]!),
      first: countStep(record) === 1,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [accumulators] = state;
    for (let i = 0; i < length; i++) {
      const g = grad[i]!;
      const before = s.first ? s.initial : accumulators![i]!;
      const accumulator = fround(before + fround(g * g));
      accumulators![i] = accumulator;
      const change = fround(g / fround(sqrt(fround(accumulator + s.eps))));
      data[i] = fround(fround(change * s.negativeLr) + data[i]!);
    }
  },
};
