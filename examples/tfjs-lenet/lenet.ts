/** The network of examples/lenet as a model of TensorFlow.js, and its digits as tensors. */

import * as tf from '@tensorflow/tfjs';
import { batch } from '../lenet/digits.ts';
import type { Digits } from '../lenet/mnist.ts';

/** LeNet for 32 × 32 × 3: 62,006 parameters in 10 variables, the same for the same seed. */
export function makeLeNet(seed: number): tf.LayersModel {
  const { conv2d, dense, flatten, maxPooling2d } = tf.layers;
  let number = 10 * seed;
  const random = () => ({
    kernelInitializer: tf.initializers.heNormal({ seed: ++number }),
    activation: 'relu' as const,
  });
  return tf.sequential({
    layers: [
      conv2d({ inputShape: [32, 32, 3], filters: 6, kernelSize: 5, name: 'conv1', ...random() }),
      maxPooling2d({ poolSize: 2 }),
      conv2d({ filters: 16, kernelSize: 5, name: 'conv2', ...random() }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 120, name: 'fc1', ...random() }),
      dense({ units: 84, name: 'fc2', ...random() }),
      dense({ units: 10, name: 'fc3', ...random(), activation: 'linear' }),
    ],
  });
}

/** The digits at these places, channels last; to be disposed of. */
export function toTensors(digits: Digits, places: Int32Array): { xs: tf.Tensor; ys: tf.Tensor } {
  const { images, labels } = batch(digits, places);
  return tf.tidy(() => ({
    xs: tf.tensor(images.data, [places.length, 3, 32, 32]).transpose([0, 2, 3, 1]),
    ys: tf.oneHot(tf.tensor1d(Int32Array.from(labels), 'int32'), 10).toFloat(),
  }));
}

/** The share of digits that the model names rightly. */
export function accuracy(model: tf.LayersModel, digits: Digits): number {
  const places = Int32Array.from(digits.labels, (_, i) => i);
  const { xs, ys } = toTensors(digits, places);
  const share = tf.tidy(() => {
    const named = (model.predict(xs) as tf.Tensor).argMax(1);
    return named.equal(ys.argMax(1)).toFloat().mean().dataSync()[0]!;
  });
  tf.dispose([xs, ys]);
  return share;
}
