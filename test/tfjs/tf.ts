/** TensorFlow.js for tests, and what they train with it. */

import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { enableWasmTraining } from 'gradstep/tfjs';
import { afterAll, beforeAll, describe } from 'vitest';

export { tf };

tf.env().set('PROD', true); // no checks of its own for NaN and the like, which take long

/** The backends that Node.js has without libtensorflow. */
export const BACKENDS = ['cpu', 'wasm'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** The same tests on each backend. */
export function onEachTfBackend(tests: (backend: BackendName) => void): void {
  enableWasmTraining(tf);
  for (const backend of BACKENDS) {
    describe(`on ${backend}`, () => {
      beforeAll(async () => {
        await tf.setBackend(backend);
      });
      afterAll(() => tf.disposeVariables());
      tests(backend);
    });
  }
}

/** Small numbers that are the same each time, from -1 to 1. */
export function noise(length: number, seed = 1): Float32Array {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A variable with such numbers. */
export function noisy(shape: number[], name: string, seed = 1): tf.Variable {
  const size = tf.util.sizeFromShape(shape);
  const initial = tf.tensor(noise(size, seed), shape);
  const made = tf.variable(initial, true, name);
  initial.dispose();
  return made;
}

/** Gives all weights of a model such numbers. */
export function fillWeights(model: tf.LayersModel, scale: number): void {
  tf.tidy(() => {
    const weights = model.getWeights();
    model.setWeights(
      weights.map((w, i) => tf.tensor(noise(w.size, i + 1), w.shape).mul(tf.scalar(scale))),
    );
  });
}

/** All weights of a model, copied. */
export function weightsOf(model: tf.LayersModel): number[][] {
  return model.getWeights().map((weight) => valuesOf(weight));
}

export function valuesOf(tensor: tf.Tensor): number[] {
  return Array.from(tensor.dataSync());
}

/** A small classifier. */
export function makeMlp(): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [6], units: 8, activation: 'tanh' }));
  model.add(tf.layers.dense({ units: 3, activation: 'softmax' }));
  fillWeights(model, 0.5);
  return model;
}

export interface Data {
  readonly xs: tf.Tensor;
  readonly ys: tf.Tensor;
}

/** What it learns. */
export function makeData(count = 32): Data {
  const values = noise(count * 6, 7);
  const hot = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const row = values.subarray(6 * i, 6 * i + 3);
    hot[3 * i + row.indexOf(Math.max(...row))] = 1;
  }
  return { xs: tf.tensor2d(values, [count, 6]), ys: tf.tensor2d(hot, [count, 3]) };
}

/** LeNet, for images of 32 × 32 × 3. */
export function makeLeNet(): tf.Sequential {
  const model = tf.sequential();
  const { conv2d, dense, flatten, maxPooling2d } = tf.layers;
  model.add(conv2d({ inputShape: [32, 32, 3], filters: 6, kernelSize: 5, activation: 'relu' }));
  model.add(maxPooling2d({ poolSize: 2 }));
  model.add(conv2d({ filters: 16, kernelSize: 5, activation: 'relu' }));
  model.add(maxPooling2d({ poolSize: 2 }));
  model.add(flatten());
  model.add(dense({ units: 120, activation: 'relu' }));
  model.add(dense({ units: 84, activation: 'relu' }));
  model.add(dense({ units: 10, activation: 'softmax' }));
  fillWeights(model, 0.1);
  return model;
}

export function makeImages(count: number): Data {
  const xs = tf.tensor(noise(count * 32 * 32 * 3, 5), [count, 32, 32, 3]);
  const hot = Float32Array.from({ length: count * 10 }, (_, i) => (i % 11 === 0 ? 1 : 0));
  return { xs, ys: tf.tensor2d(hot, [count, 10]) };
}

/** `fit` without output and without shuffling, so that it does the same each time. */
export async function fitModel(
  model: tf.LayersModel,
  { xs, ys }: Data,
  epochs: number,
): Promise<number> {
  const { history } = await model.fit(xs, ys, {
    epochs,
    batchSize: 16,
    verbose: 0,
    shuffle: false,
  });
  return Number(history.loss!.at(-1));
}

/** The loss of a model by hand. */
export function crossEntropy(model: tf.LayersModel, { xs, ys }: Data): tf.Scalar {
  return tf.losses.softmaxCrossEntropy(ys, tf.log(model.predict(xs) as tf.Tensor)) as tf.Scalar;
}

/** A model as it would be saved. */
export async function artifactsOf(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    saved = JSON.parse(JSON.stringify(artifacts)) as tf.io.ModelArtifacts;
    saved.weightData = (artifacts.weightData as ArrayBuffer).slice(0);
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });
  await model.save(handler, { includeOptimizer: true });
  return saved!;
}

/** The model saved, and loaded beside itself. */
export async function reload(model: tf.LayersModel): Promise<tf.LayersModel> {
  return tf.loadLayersModel(tf.io.fromMemory(await artifactsOf(model)));
}
