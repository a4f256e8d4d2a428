/**
 * The recipe: AdamW over groups whose learning rate falls towards the input and whose biases do
 * not decay, and a moving average of the parameters that every step updates.
 */

import { AdamW, EMA, layerDecay, noDecay } from 'gradstep';
import type { LeNet } from '../lenet/lenet.ts';
import type { Digits } from '../lenet/mnist.ts';
import type { Random } from '../lenet/random.ts';
import { accuracy, stepCount, train } from '../lenet/train.ts';

/** Learning rate of the last layer. */
export const LR = 3e-3;
export const WEIGHT_DECAY = 0.05;
export const BATCH_SIZE = 4;

/** The optimizer and the average of one network. */
export interface Recipe {
  readonly optimizer: AdamW;
  readonly ema: EMA;
  /** What the average's decay rises to: at first an average knows too little to stay at. */
  readonly emaDecay: number;
}

export function makeRecipe(net: LeNet, decayOfLayers: number, emaDecay: number): Recipe {
  const named = net.namedParameters();
  const groups = noDecay(layerDecay(named, decayOfLayers, { lr: LR }));
  const optimizer = new AdamW(groups, { weightDecay: WEIGHT_DECAY });
  const ema = new EMA(named, { decay: 0 }).attach(optimizer);
  return { optimizer, ema, emaDecay };
}

/** How well the network reads: with its own parameters, and with the averages in their place. */
export function compare(net: LeNet, ema: EMA, test: Digits): { own: number; averaged: number } {
  const own = accuracy(net, test);
  ema.swap();
  try {
    return { own, averaged: accuracy(net, test) };
  } finally {
    ema.restore();
  }
}

/** Fine-tunes in place; yields `times` times how many steps are done and the mean loss of late. */
export function* tune(
  net: LeNet,
  { optimizer, ema, emaDecay }: Recipe,
  digits: Digits,
  random: Random,
  times: number,
): Generator<{ step: number; loss: number }> {
  const plan = { epochs: 1, batchSize: BATCH_SIZE, random };
  const total = stepCount(digits, plan);
  let losses: number[] = [];
  let step = 0;
  for (const loss of train(net, optimizer, digits, plan)) {
    ema.decay = Math.min(emaDecay, (1 + step) / (10 + step));
    step += 1;
    losses.push(loss);
    if (Math.floor((step * times) / total) === Math.floor(((step - 1) * times) / total)) continue;
    yield { step, loss: losses.reduce((a, b) => a + b) / losses.length };
    losses = [];
  }
}
