/** Adam, AMSGrad and AdamW; line for line `native/rules/adam.h`. */

import { power } from '../../../support/power.ts';
import { fma } from '../fma.ts';
import {
  type Arrays,
  countStep,
  type Lerp,
  maximum,
  type Rule,
  STEP_COUNT,
  toFloat32,
  toLerp,
} from './rule.ts';

const { fround, sqrt } = Math;

interface Scalars {
  readonly decay: number;
  readonly lerp: Lerp;
  readonly beta2: number;
  readonly oneMinusBeta2: number;
  readonly rootCorrection2: number;
  readonly eps: number;
  readonly negativeStepSize: number;
  readonly decays: boolean;
  readonly amsgrad: boolean;
}

function adamRule(name: string, decoupled: boolean): Rule<Scalars> {
  return {
    name,
    fields: ['lr', 'beta1', 'beta2', 'eps', 'weightDecay', 'amsgrad', 'maximize'],
    record: STEP_COUNT,

    prepare(struct, record) {
      const [lr, beta1, beta2, eps, weightDecay] = struct as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      const step = countStep(record);
      const correction1 = 1 - power(beta1, step);
      const correction2 = 1 - power(beta2, step);
      return {
        decay: toFloat32(decoupled ? 1 - lr * weightDecay : weightDecay),
        lerp: toLerp(1 - beta1),
        beta2: toFloat32(beta2),
        oneMinusBeta2: toFloat32(1 - beta2),
        rootCorrection2: toFloat32(sqrt(correction2)),
        eps: toFloat32(eps),
        negativeStepSize: toFloat32(-(lr / correction1)),
        decays: weightDecay !== 0,
        amsgrad: struct[5] !== 0,
      };
    },

    update(s: Scalars, { data, grad, state, length }: Arrays) {
      const [expAvgs, expAvgSqs, maxExpAvgSqs] = state;
      for (let i = 0; i < length; i++) {
        let param = data[i]!;
        let g = grad[i]!;
        if (s.decays && decoupled) param = fround(param * s.decay);
        else if (s.decays) g = fma(s.decay, param, g);
        const expAvg = expAvgs![i]!;
        const newExpAvg = fma(s.lerp.weight, fround(g - expAvg), s.lerp.far ? g : expAvg);
        const scaled = fround(s.oneMinusBeta2 * g);
        let second = fma(scaled, g, fround(expAvgSqs![i]! * s.beta2));
        expAvgs![i] = newExpAvg;
        expAvgSqs![i] = second;
        if (s.amsgrad) {
          second = maximum(maxExpAvgSqs![i]!, second);
          maxExpAvgSqs![i] = second;
        }
        const root = fround(fround(sqrt(second)) / s.rootCorrection2);
        const denominator = fround(root + s.eps);
        data[i] = fround(param + fround(fround(s.negativeStepSize * newExpAvg) / denominator));
      }
    },
  };
}

export const adam: Rule<Scalars> = adamRule('adam', false);
export const adamw: Rule<Scalars> = adamRule('adamw', true);
