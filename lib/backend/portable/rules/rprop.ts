/** Rprop; line for line `native/rules/rprop.h`. */

import { fma } from '../fma.ts';
import {
  type Arrays,
  countStep,
  maximum,
  minimum,
  type Rule,
  STEP_COUNT,
  sign,
  toFloat32,
} from './rule.ts';

const { fround } = Math;

interface Scalars {
  readonly lr: number;
  readonly first: boolean;
  readonly etaMinus: number;
  readonly etaPlus: number;
  readonly stepSizeMin: number;
  readonly stepSizeMax: number;
}

export const rprop: Rule<Scalars> = {
  name: 'rprop',
  fields: ['lr', 'etaMinus', 'etaPlus', 'stepSizeMin', 'stepSizeMax', 'maximize'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const first = record[0]! === 0;
    countStep(record);
    const [lr, etaMinus, etaPlus, stepSizeMin, stepSizeMax] = struct as unknown as number[] as [
      number,
      number,
      number,
      number,
      number,
    ];
    return {
      lr: toFloat32(lr),
      first,
      etaMinus: toFloat32(etaMinus),
      etaPlus: toFloat32(etaPlus),
      stepSizeMin: toFloat32(stepSizeMin),
      stepSizeMax: toFloat32(stepSizeMax),
    };
  },

  update(s: Scalars, { data, grad, state, length }: Arrays) {
    const [prevs, stepSizes] = state;
    for (let i = 0; i < length; i++) {
      let g = grad[i]!;
      // Faster where the gradient keeps its sign, slower and no step where it turned.
      const product = fround(g * prevs![i]!);
      const factor = product > 0 ? s.etaPlus : product < 0 ? s.etaMinus : 1;
      const size = fround((s.first ? s.lr : stepSizes![i]!) * factor);
      const clamped = minimum(maximum(size, s.stepSizeMin), s.stepSizeMax);
      stepSizes![i] = clamped;
      if (product < 0) g = 0;
      prevs![i] = g;
      data[i] = fma(-sign(g), clamped, data[i]!);
    }
  },
};
