/** ASGD; line for line `native/rules/asgd.h`. */

import { power } from '../../../support/power.ts';
import { fma } from '../fma.ts';
import { type Arrays, countStep, type Rule, toFloat32 } from './rule.ts';

const { fround, max } = Math;

interface Scalars {
  readonly decay: number;
  readonly shrink: number;
  readonly negativeEta: number;
  readonly mu: number;
  readonly decays: boolean;
}

type Struct = [lr: number, lambd: number, alpha: number, t0: number, weightDecay: number];

export const asgd: Rule<Scalars> = {
  name: 'asgd',
  fields: ['lr', 'lambd', 'alpha', 't0', 'weightDecay', 'maximize'],
  // The rate of the next step, and its weight in the average: float32s, as torch keeps them.
  record: ['step', 'eta', 'mu'],

  prepare(struct, record) {
    const [lr, lambd, alpha, t0, weightDecay] = struct as unknown as Struct;
    if (record[0] === 0) record.set([0, toFloat32(lr), 1]);
    const step = countStep(record);
    const [, eta, mu] = record as unknown as [number, number, number];
    record[1] = toFloat32(lr / power(1 + lambd * lr * step, alpha));
    record[2] = toFloat32(1 / max(1, step - t0));
    return {
      decay: toFloat32(weightDecay),
      shrink: toFloat32(1 - lambd * eta),
      negativeEta: toFloat32(-eta),
      mu: toFloat32(mu),
      decays: weightDecay !== 0,
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [averages] = state;
    for (let i = 0; i < length; i++) {
      let param = data[i]!;
      let g = grad[i]!;
      if (s.decays) g = fma(s.decay, param, g);
      param = fma(s.negativeEta, g, fround(param * s.shrink));
      data[i] = param;
      if (s.mu !== 1) {
        const average = averages![i]!;
        averages![i] = fround(average + fround(fround(param - average) * s.mu));
      } else {
        averages![i] = param;
      }
    }
  },
};
