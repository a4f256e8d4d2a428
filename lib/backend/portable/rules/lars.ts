/** LARS; line for line `native/rules/lars.h`. */

import { fma } from '../fma.ts';
import { sumOfSquares } from '../reduce.ts';
import { type Arrays, countStep, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly negativeLr: number;
  readonly momentum: number;
  readonly oneMinusDampening: number;
  readonly weightDecay: number;
  readonly trustCoeff: number;
  readonly eps: number;
  readonly decays: boolean;
  readonly hasMomentum: boolean;
  readonly nesterov: boolean;
  readonly first: boolean;
  readonly adapts: boolean;
}

export const lars: Rule<Scalars> = {
  name: 'lars',
  fields: [
    'lr',
    'momentum',
    'dampening',
    'weightDecay',
    'nesterov',
    'trustCoeff',
    'eps',
    'alwaysAdapt',
    'maximize',
  ],
  record: STEP_COUNT,

  stateLength: ({ length }) => length,

  prepare(struct, record) {
    const first = record[0]! === 0;
    if (struct[1] !== 0) countStep(record); // the age of the momentum buffer, as SGD's
    return {
      negativeLr: toFloat32(-struct[0]!),
      momentum: toFloat32(struct[1]!),
      oneMinusDampening: toFloat32(1 - struct[2]!),
      weightDecay: toFloat32(struct[3]!),
      trustCoeff: toFloat32(struct[5]!),
      eps: toFloat32(struct[6]!),
      decays: struct[3] !== 0,
      hasMomentum: struct[1] !== 0,
      nesterov: struct[4] !== 0,
      first,
      adapts: struct[3] !== 0 || struct[7] !== 0,
    };
  },

  update(s, arrays) {
    const { data, grad, state, length } = arrays;
    const trust = s.adapts ? trustOf(s, arrays) : 1;
    const buffers = state[0];
    for (let i = 0; i < length; i++) {
      const param = data[i]!;
      let g = grad[i]!;
      if (s.decays) g = fma(s.weightDecay, param, g);
      g = fround(g * trust);
      if (s.hasMomentum) {
        let buffer = g; // the first momentum is a copy, without dampening
        if (!s.first) buffer = fma(s.oneMinusDampening, g, fround(buffers![i]! * s.momentum));
        buffers![i] = buffer;
        g = s.nesterov ? fma(s.momentum, buffer, g) : buffer;
      }
      data[i] = fma(s.negativeLr, g, param);
    }
  },
};

function trustOf(s: Scalars, { data, grad, length }: Arrays): number {
  const param = fround(sqrt(sumOfSquares(length, (i) => data[i]!)));
  const size = fround(sqrt(sumOfSquares(length, (i) => grad[i]!)));
  if (!(param > 0 && size > 0)) return 1;
  const both = fround(fround(fround(param * s.weightDecay) + size) + s.eps);
  return fround(fround(s.trustCoeff * param) / both);
}
