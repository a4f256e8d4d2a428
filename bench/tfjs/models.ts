/** What is trained: each model with variables of its own, and the loss of one batch. */

import * as tf from '@tensorflow/tfjs';
import { makeLeNet } from '../../examples/tfjs-lenet/lenet.ts';

export interface Model {
  readonly variables: readonly tf.Variable[];
  loss(): tf.Scalar;
}

export interface ModelKind {
  readonly name: string;
  make(): Model;
}

/** Digits from 0 to 9 for so many examples, one after the other. */
const labels = (batch: number) =>
  tf.oneHot(
    tf.tensor1d(
      Int32Array.from({ length: batch }, (_, i) => i % 10),
      'int32',
    ),
    10,
  );

function perceptron(sizes: readonly number[], batch: number): Model {
  const layers = sizes.slice(1).map((units, i) => ({
    kernel: tf.variable(tf.randomNormal([sizes[i]!, units], 0, 0.1, 'float32', i)),
    bias: tf.variable(tf.zeros([units])),
  }));
  const xs = tf.randomNormal([batch, sizes[0]!], 0, 1, 'float32', 7);
  const ys = labels(batch);
  const loss = () => {
    let values: tf.Tensor = xs;
    for (const [i, { kernel, bias }] of layers.entries()) {
      values = values.matMul(kernel).add(bias);
      if (i < layers.length - 1) values = values.relu();
    }
    return tf.losses.softmaxCrossEntropy(ys, values) as tf.Scalar;
  };
  return { variables: layers.flatMap(({ kernel, bias }) => [kernel, bias]), loss };
}

function lenet(batch: number): Model {
  const model = makeLeNet(1);
  const xs = tf.randomNormal([batch, 32, 32, 3], 0, 1, 'float32', 7);
  const ys = labels(batch);
  return {
    variables: model.getWeights() as tf.Variable[],
    loss: () => tf.losses.softmaxCrossEntropy(ys, model.apply(xs) as tf.Tensor) as tf.Scalar,
  };
}

function table(rows: number, width: number, tokens: number): Model {
  const weights = tf.variable(tf.randomNormal([rows, width], 0, 0.1, 'float32', 3));
  const at = Int32Array.from({ length: tokens }, (_, i) => (i * 7919) % rows);
  const ids = tf.tensor1d(at, 'int32');
  return { variables: [weights], loss: () => weights.gather(ids).square().mean() as tf.Scalar };
}

export const MODELS: readonly ModelKind[] = [
  { name: 'dense, 5 k values', make: () => perceptron([8, 64, 64, 10], 32) },
  { name: 'dense, 203 k values', make: () => perceptron([784, 256, 10], 32) },
  { name: 'LeNet, 62 k values, batch of 4', make: () => lenet(4) },
  { name: 'table, 100,000 × 64', make: () => table(100_000, 64, 1024) },
];
