/** Of what random programs are made. */

import { Adagrad, Adam, AdamW, NAdam, Optimizer, SGD, type Update } from '../../lib/index.ts';

type Floats = Float32Array<ArrayBufferLike>;

/** One with an update in JavaScript. */
class Own extends Optimizer<{ readonly lr?: number }> {
  static defaults = { lr: 0.1 };
  static readonly state = ['sum'] as const;
  override update({ data, grad, state, group }: Update<Own>) {
    const { sum } = state as unknown as { sum: Floats };
    for (let i = 0; i < data.length; i++) {
      sum[i]! += grad[i]!;
      data[i]! -= group.lr * sum[i]!;
    }
  }
}

/** An average's update in JavaScript. */
export function halve(average: Floats, values: Floats): void {
  for (let i = 0; i < average.length; i++) average[i] = (average[i]! + values[i]!) / 2;
}

export const CLASSES = [SGD, Adam, AdamW, NAdam, Adagrad, Own] as unknown as (typeof SGD)[];
export const OPTIONS: readonly object[] = [
  {},
  { lr: 0.5 },
  { lr: 0.1, momentum: 0.9 },
  { lr: 0.1, amsgrad: true },
  { lr: 0.01, weightDecay: 0.1 },
  { lr: -1 },
  { maxGradNorm: 0.5, zeroGradInStep: true },
];
export const LENGTHS = [0, 1, 3, 16, 33, 257];
export const VALUES = [0.5, -0.25, 1e-3, 3, Number.NaN, Number.POSITIVE_INFINITY, 3e38];
