/** The training loop, and how good a network is. Used for training and for fine-tuning. */

import { DemoError } from './demo-error.ts';
import { batch } from './digits.ts';
import type { LeNet } from './lenet.ts';
import type { Digits } from './mnist.ts';
import { type Random, shuffled } from './random.ts';

export interface Plan {
  readonly epochs: number;
  readonly batchSize: number;
  readonly random: Random;
  /** The learning rate of all groups when this share of the steps is done. Default: their own. */
  readonly lrAt?: (share: number) => number;
  /** Steps that an earlier run has taken: their batches are dealt again and passed over. */
  readonly done?: number;
}

/** What training asks of an optimizer. */
export interface Trainer {
  readonly paramGroups: readonly { lr: number }[];
  zeroGrad(): void;
  step(): void;
}

/** The number of steps that `train` takes. */
export function stepCount({ labels }: Digits, { epochs, batchSize }: Plan): number {
  return epochs * Math.ceil(labels.length / batchSize);
}

/** Takes one step for each batch of each epoch, and yields the loss before it. */
export function* train(
  net: LeNet,
  optimizer: Trainer,
  digits: Digits,
  plan: Plan,
): Generator<number, void, void> {
  const total = stepCount(digits, plan);
  let next = 0;
  for (let epoch = 0; epoch < plan.epochs; epoch++) {
    for (const places of batches(shuffled(digits.labels.length, plan.random), plan.batchSize)) {
      const step = next++;
      if (step < (plan.done ?? 0)) continue;
      const { images, labels } = batch(digits, places);
      optimizer.zeroGrad();
      const loss = net.lossAndGradients(images, labels);
      if (!Number.isFinite(loss)) {
        throw new DemoError(`The loss became ${loss}: try a lower learning rate.`);
      }
      if (plan.lrAt) setLr(optimizer, plan.lrAt(step / total));
      optimizer.step();
      yield loss;
    }
  }
}

function setLr(optimizer: Trainer, lr: number): void {
  for (const group of optimizer.paramGroups) group.lr = lr;
}

/** The share of digits that the network reads rightly. */
export function accuracy(net: LeNet, digits: Digits, onDigit?: () => void): number {
  let right = 0;
  for (const places of batches(Int32Array.from(digits.labels.keys()), 100)) {
    const { images, labels } = batch(digits, places);
    net.classify(images).forEach((digit, n) => {
      if (digit === labels[n]) right += 1;
      onDigit?.();
    });
  }
  return right / digits.labels.length;
}

function* batches(places: Int32Array, size: number): Generator<Int32Array> {
  for (let from = 0; from < places.length; from += size) yield places.subarray(from, from + size);
}
