/** Gradient descent and momentum of TensorFlow.js; line for line `native/rules/tfjs_sgd.h`. */

import { type Arrays, countStep, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { fround } = Math;

export const tfjsSgd: Rule<{ readonly negativeLr: number }> = {
  name: 'tfjsSgd',
  fields: ['lr'],
  record: STEP_COUNT,

  prepare(struct, record) {
    countStep(record);
    return { negativeLr: toFloat32(-struct[0]!) };
  },

  update(s, { data, grad, length }: Arrays) {
    for (let i = 0; i < length; i++) {
      data[i] = fround(fround(s.negativeLr * grad[i]!) + data[i]!);
    }
  },
};

interface Scalars {
  readonly negativeLr: number;
  readonly momentum: number;
  readonly nesterov: boolean;
}

export const tfjsMomentum: Rule<Scalars> = {
  name: 'tfjsMomentum',
  fields: ['lr', 'momentum', 'nesterov'],
  record: STEP_COUNT,

  prepare(struct, record) {
    countStep(record);
    return {
      negativeLr: toFloat32(-struct[0]!),
      momentum: toFloat32(struct[1]!),
      nesterov: struct[2] !== 0,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [momenta] = state;
    for (let i = 0; i < length; i++) {
      const g = grad[i]!;
      const momentum = fround(fround(s.momentum * momenta![i]!) + g);
      momenta![i] = momentum;
      const change = s.nesterov ? fround(g + fround(momentum * s.momentum)) : momentum;
      data[i] = fround(fround(s.negativeLr * change) + data[i]!);
    }
  },
};
