/** One loop for every optimizer: TensorFlow.js's own and gradstep's. */

import * as tf from '@tensorflow/tfjs';
import { AdamW, cosine, warmup } from 'gradstep';
import { type Bound, bindTfjs, modelFolder } from 'gradstep/tfjs';
import type { Digits } from '../lenet/mnist.ts';
import { seeded, shuffled } from '../lenet/random.ts';
import { toTensors } from './lenet.ts';

export interface Plan {
  readonly digits: Digits;
  readonly steps: number;
  readonly batchSize: number;
  readonly seed: number;
}

/** What `optim.adamw` makes. */
export type BoundAdamW = Bound<typeof tf, typeof AdamW>;

const optim = bindTfjs(tf);

/** Convolutions learn slowly and decay, the head learns fast; both clipped together. */
const GROUPS = { features: 1e-3, head: 2e-3 };

/** AdamW with two groups of layers. */
export function adamwOf(model: tf.LayersModel): BoundAdamW {
  const isFeature = ({ name }: { name: string }) => name.startsWith('conv');
  return optim.adamw(
    [
      { name: 'features', params: model.layers.filter(isFeature), lr: GROUPS.features },
      { name: 'head', params: model.layers.filter((layer) => !isFeature(layer)), lr: GROUPS.head },
    ],
    { weightDecay: 1e-2, maxGradNorm: 5 },
  ) as BoundAdamW;
}

/** A linear rise over a tenth of the steps, then half a cosine: a factor of each group's rate. */
export function setRates({ paramGroups, iterations }: BoundAdamW, steps: number): void {
  const rise = Math.ceil(steps / 10);
  const factor = warmup(
    { steps: rise, from: 0.1 },
    cosine({ from: 1, to: 0, steps: steps - rise }),
  );
  for (const group of paramGroups) {
    group.lr = GROUPS[group.name as keyof typeof GROUPS] * factor(iterations);
  }
}

/** Trains from step `from` up to `to`, and gives the losses; the order of digits is the seed's. */
export function train(
  model: tf.LayersModel,
  optimizer: tf.Optimizer,
  plan: Plan,
  [from, to]: readonly [number, number] = [0, plan.steps],
): number[] {
  const { digits, batchSize, steps, seed } = plan;
  const perEpoch = Math.floor(digits.labels.length / batchSize);
  const losses: number[] = [];
  for (let step = from; step < to; step++) {
    const epoch = Math.floor(step / perEpoch);
    const order = shuffled(digits.labels.length, seeded(seed + epoch));
    const first = (step % perEpoch) * batchSize;
    const { xs, ys } = toTensors(digits, order.subarray(first, first + batchSize));
    if (optimizer instanceof AdamW) setRates(optimizer as BoundAdamW, steps);
    const loss = optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy(ys, model.apply(xs) as tf.Tensor) as tf.Scalar,
      true,
    )!;
    losses.push(loss.dataSync()[0]!);
    tf.dispose([xs, ys, loss]);
  }
  return losses;
}

/** Writes model and optimizer, groups and state included. */
export async function save(
  model: tf.LayersModel,
  optimizer: tf.Optimizer,
  folder: string,
): Promise<void> {
  if ((model as { optimizer?: unknown }).optimizer !== optimizer) {
    model.compile({ optimizer, loss: 'categoricalCrossentropy' }); // it is saved with the model
  }
  await model.save(modelFolder(folder), { includeOptimizer: true });
}

/** Reads them; the run goes on where it was, with the same bits. */
export async function resume(
  folder: string,
): Promise<{ model: tf.LayersModel; optimizer: BoundAdamW }> {
  const model = await tf.loadLayersModel(modelFolder(folder));
  return { model, optimizer: model.optimizer as BoundAdamW };
}
