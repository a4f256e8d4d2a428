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

type Doubles = Float64Array<ArrayBufferLike>;

type Struct = [number, number, number, number, number, number, number];

/** Which calls an average heeds. */
export interface Pace {
  /** Each so many calls. */
  readonly updateEvery: number;
  /** Before this one they copy. */
  readonly updateAfterStep: number;
}

/** The first call that averages; the calls are numbered from 0. */
function firstOf({ updateEvery, updateAfterStep }: Pace): number {
  return Math.ceil(updateAfterStep / updateEvery) * updateEvery;
}

/** How many of so many calls have averaged. */
export function averagedOf(calls: number, pace: Pace): number {
  const first = firstOf(pace);
  return calls > first ? Math.floor((calls - 1 - first) / pace.updateEvery) + 1 : 0;
}

/** How many calls there have been when so many have averaged. */
export function callsOf(averaged: number, pace: Pace): number {
  return averaged === 0 ? 0 : firstOf(pace) + (averaged - 1) * pace.updateEvery + 1;
}

/**
 * Counts a call in a record.
 * @returns How many have averaged before it; 0: it copies; undefined: nothing is to do.
 */
export function countCall(record: Doubles, pace: Pace): number | undefined {
  const call = countStep(record) - 1;
  if (call % pace.updateEvery !== 0) return undefined;
  return call < pace.updateAfterStep ? 0 : (call - firstOf(pace)) / pace.updateEvery;
}

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

export const ema: Rule<EmaScalars | undefined> = {
  name: 'ema',
  fields: [
    'decay',
    'lerp',
    'warmupPower',
    'warmupGamma',
    'minDecay',
    'updateEvery',
    'updateAfterStep',
  ],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [most, lerp, exponent, gamma, least, updateEvery, updateAfterStep] =
      struct as unknown as Struct;
    const before = countCall(record, { updateEvery, updateAfterStep });
    if (before === undefined) return undefined;
    const first = before === 0;
    const decay = decayAfter(before, most, exponent, gamma, least);
    return {
      decay: toFloat32(decay),
      oneMinusDecay: toFloat32(1 - decay),
      lerp: lerp !== 0 ? toLerp(1 - decay) : undefined,
      first,
    };
  },

  update(scalars: EmaScalars | undefined, arrays: Arrays) {
    if (scalars === undefined) return;
    const { decay, oneMinusDecay, lerp, first } = scalars;
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

export const swa: Rule<SwaScalars | undefined> = {
  name: 'swa',
  fields: ['lerp', 'updateEvery', 'updateAfterStep'],
  record: STEP_COUNT,

  prepare(struct, record) {
    const [lerp, updateEvery, updateAfterStep] = struct as unknown as [number, number, number];
    const before = countCall(record, { updateEvery, updateAfterStep });
    if (before === undefined) return undefined;
    const count = toFloat32(before + 1);
    // torch divides a float32 1 by a float32 count.
    return { count, lerp: lerp !== 0 ? toLerp(1 / count) : undefined, first: before === 0 };
  },

  update(scalars: SwaScalars | undefined, arrays: Arrays) {
    if (scalars === undefined) return;
    const { count, lerp, first } = scalars;
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
