/** Averages of parameters as update rules; line for line `native/rules/average.h`. */

import { power } from '../../../support/power.ts';
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

const { fround } = Math;

type Struct = [number, number, number, number, number];

/** The decay of an update that comes after `count` others. */
export function decayAfter(
  count: number,
  decay: number,
  warmupPower: number,
  warmupGamma: number,
  minDecay: number,
): number {
  if (warmupPower === 0) return decay;
  const warm = 1 - power(1 + count / warmupGamma, -warmupPower);
  return Math.max(minDecay, Math.min(decay, warm));
}

interface EmaScalars {
  readonly decay: number;
  readonly oneMinusDecay: number;
  readonly lerp: Lerp | undefined;
  readonly first: boolean;
}

export const ema: Rule<EmaScalars> = {
  name: 'ema',
  fields: ['decay', 'lerp', 'warmupPower', 'warmupGamma', 'minDecay'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [most, lerp, exponent, gamma, least] = struct as unknown as Struct;
    const decay = decayAfter(record[0]!, most, exponent, gamma, least);
    const first = countStep(record) === 1;
    return {
      decay: toFloat32(decay),
      oneMinusDecay: toFloat32(1 - decay),
      lerp: lerp !== 0 ? toLerp(1 - decay) : undefined,
      first,
    };
  },

  update({ decay, oneMinusDecay, lerp, first }: EmaScalars, arrays: Arrays) {
    if (first) copy(arrays);
    else if (lerp) mix(lerp, arrays);
    else {
      const { data, grad, length } = arrays;
      for (let i = 0; i < length; i++) {
        data[i] = fround(decay * data[i]!) + fround(oneMinusDecay * grad[i]!);
      }
    }
  },
};

interface SwaScalars {
  readonly count: number;
  readonly lerp: Lerp | undefined;
  readonly first: boolean;
}

export const swa: Rule<SwaScalars> = {
  name: 'swa',
  fields: ['lerp'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const count = toFloat32(countStep(record));
    // torch divides a float32 1 by a float32 count.
    return { count, lerp: struct[0] !== 0 ? toLerp(1 / count) : undefined, first: count === 1 };
  },

  update({ count, lerp, first }: SwaScalars, arrays: Arrays) {
    if (first) copy(arrays);
    else if (lerp) mix(lerp, arrays);
    else {
      const { data, grad, length } = arrays;
      for (let i = 0; i < length; i++) {
        const average = data[i]!;
        data[i] = average + fround(fround(grad[i]! - average) / count);
      }
    }
  },
};

function copy({ data, grad, length }: Arrays): void {
  for (let i = 0; i < length; i++) data[i] = grad[i]!;
}

function mix({ weight, far }: Lerp, { data, grad, length }: Arrays): void {
  for (let i = 0; i < length; i++) {
    const average = data[i]!;
    const value = grad[i]!;
    data[i] = fma(weight, fround(value - average), far ? value : average);
  }
}
