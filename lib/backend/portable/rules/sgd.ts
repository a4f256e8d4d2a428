/** Stochastic gradient descent with momentum; line for line `native/rules/sgd.h`. */

import { fma } from '../fma.ts';
import { type Arrays, countStep, type Rule, STEP_COUNT, toFloat32 } from './rule.ts';

const { fround } = Math;

interface Scalars {
  readonly negativeLr: number;
  readonly momentum: number;
  readonly oneMinusDampening: number;
  readonly weightDecay: number;
  readonly decays: boolean;
  readonly hasMomentum: boolean;
  readonly nesterov: boolean;
  readonly dampened: boolean;
  readonly first: boolean;
}

export const sgd: Rule<Scalars> = {
  name: 'sgd',
  fields: ['lr', 'momentum', 'dampening', 'weightDecay', 'nesterov', 'maximize'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const first = record[0]! === 0;
    const [lr, momentum, dampening, weightDecay, nesterov] = struct as unknown as number[];
    // Without momentum torch keeps no state; the count is the age of the momentum buffer.
    if (momentum !== 0) countStep(record);
    return {
      negativeLr: toFloat32(-lr!),
      momentum: toFloat32(momentum!),
      oneMinusDampening: toFloat32(1 - dampening!),
      weightDecay: toFloat32(weightDecay!),
      decays: weightDecay !== 0,
      hasMomentum: momentum !== 0,
      nesterov: nesterov !== 0,
      dampened: dampening !== 0,
      first,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const momentumBuffer = state[0]!;
    for (let i = 0; i < length; i++) {
      const param = data[i]!;
      let g = grad[i]!;
      if (s.decays) g = fma(s.weightDecay, param, g);
      if (s.hasMomentum) {
        let buffer = g; // the first momentum is a copy, without dampening
        if (!s.first) {
          buffer = fround(momentumBuffer[i]! * s.momentum);
          buffer = s.dampened ? fma(s.oneMinusDampening, g, buffer) : fround(g + buffer);
        }
        momentumBuffer[i] = buffer;
        g = s.nesterov ? fma(s.momentum, buffer, g) : buffer;
      }
      data[i] = fma(s.negativeLr, g, param);
    }
  },
};
