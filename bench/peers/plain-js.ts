/** The loop that one writes without a library, as fast as plain JavaScript allows. */

import { subject } from '../measure.ts';
import { fillGradient, SETTINGS } from '../model.ts';
import type { Peer } from './peer.ts';

const NAME = 'plain JavaScript';

interface Tensor {
  readonly data: Float32Array;
  readonly grad: Float32Array;
  readonly states: readonly [Float32Array, Float32Array];
}

export const plainJs: Peer = {
  name: NAME,
  most: { values: 3e7, tensors: 10_000 },
  async open() {
    return (optimizer, lengths) => {
      const tensors = lengths.map(makeTensor);
      let count = 0;
      return subject(NAME, () => {
        count += 1;
        if (optimizer === 'AdamW') for (const tensor of tensors) adamw(tensor, count);
        else for (const tensor of tensors) momentum(tensor);
      });
    };
  },
};

function makeTensor(length: number): Tensor {
  const array = () => new Float32Array(length);
  const grad = array();
  fillGradient(grad);
  return { data: array(), grad, states: [array(), array()] };
}

function adamw({ data, grad, states: [expAvg, expAvgSq] }: Tensor, count: number): void {
  const { lr, betas, eps, weightDecay } = SETTINGS.AdamW;
  const [beta1, beta2] = betas;
  const stepSize = lr / (1 - beta1 ** count);
  const correction = Math.sqrt(1 - beta2 ** count);
  const decay = 1 - lr * weightDecay;
  for (let i = 0; i < data.length; i++) {
    const g = grad[i]!;
    const m = beta1 * expAvg[i]! + (1 - beta1) * g;
    const v = beta2 * expAvgSq[i]! + (1 - beta2) * g * g;
    expAvg[i] = m;
    expAvgSq[i] = v;
    data[i] = data[i]! * decay - (stepSize * m) / (Math.sqrt(v) / correction + eps);
  }
}

function momentum({ data, grad, states: [buffer] }: Tensor): void {
  const { lr, momentum: factor } = SETTINGS.SGD;
  for (let i = 0; i < data.length; i++) {
    const b = factor * buffer[i]! + grad[i]!;
    buffer[i] = b;
    data[i] = data[i]! - lr * b;
  }
}
