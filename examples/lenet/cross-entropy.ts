/** Softmax and cross-entropy in one, as torch's `F.cross_entropy`: the mean over the batch. */

import { sample, type Tensor, zeros } from './tensor.ts';

export interface Loss {
  readonly value: number;
  /** The gradient of the scores. */
  readonly gradient: Tensor;
}

/** The loss of scores (a row for each sample) against the true classes. */
export function crossEntropy(scores: Tensor, labels: Uint8Array): Loss {
  const gradient = zeros(scores.shape);
  let value = 0;
  labels.forEach((label, n) => {
    const row = sample(scores, n);
    const slope = sample(gradient, n);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const exponentials = Array.from(row, (score) => Math.exp(score - largest));
    const sum = exponentials.reduce((a, b) => a + b);
    value += (Math.log(sum) + largest - row[label]!) / labels.length;
    exponentials.forEach((exponential, k) => {
      slope[k] = (exponential / sum - (k === label ? 1 : 0)) / labels.length;
    });
  });
  return { value, gradient };
}
