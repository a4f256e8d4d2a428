/** Whole networks: LeNet with two groups through `fit` and by hand; constraints; arenas. */

import { Worker } from 'node:worker_threads';
import { ParameterArena } from 'gradstep';
import { arenaVariables, bindTfjs } from 'gradstep/tfjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectError } from './gradstep.ts';
import {
  crossEntropy,
  fitModel,
  makeData,
  makeImages,
  makeLeNet,
  makeMlp,
  onEachTfBackend,
  tf,
  valuesOf,
  weightsOf,
} from './tf.ts';

const optim = bindTfjs(tf);

beforeEach(() => {
  tf.disposeVariables();
});

onEachTfBackend((backend) => {
  const count = backend === 'wasm' ? 16 : 2; // a step of LeNet takes a second on cpu
  const steps = backend === 'wasm' ? 8 : 2;

  const groups = (model: tf.LayersModel) =>
    optim.adamw(
      [
        { params: model.layers.slice(0, 5), lr: 1e-4, name: 'features' },
        { params: model.layers.slice(5), weightDecay: 0 },
      ],
      { lr: 5e-3, maxGradNorm: 1 },
    );

  it('trains LeNet with two groups through fit, and by hand the same', async () => {
    const images = makeImages(count);
    const [fitted, stepped] = [makeLeNet(), makeLeNet()];
    fitted.compile({ optimizer: groups(fitted), loss: 'categoricalCrossentropy' });
    const optimizer = groups(stepped);
    const cost = () =>
      tf.metrics.categoricalCrossentropy(images.ys, stepped.predict(images.xs) as tf.Tensor).mean();
    const before = weightsOf(fitted);
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      losses.push(await fitModel(fitted, images, 1));
      optimizer.minimize(cost as () => tf.Scalar);
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    const [a, b] = [weightsOf(fitted), weightsOf(stepped)];
    const most = (x: number[], y: number[]) => Math.max(...x.map((v, i) => Math.abs(v - y[i]!)));
    for (const [i, weights] of a.entries()) expect(most(weights, b[i]!)).toBeLessThan(2e-4);
    const moved = a.map((weights, i) => most(weights, before[i]!));
    expect(Math.max(...moved.slice(0, 4))).toBeLessThan(1.01e-4 * steps);
    expect(Math.max(...moved.slice(4))).toBeGreaterThan(4e-3);
    void crossEntropy;
  });

  it('applies the constraints of layers after each step', async () => {
    const make = () => {
      const model = tf.sequential();
      const kernelConstraint = tf.constraints.maxNorm({ maxValue: 0.5, axis: 0 });
      model.add(tf.layers.dense({ inputShape: [6], units: 3, kernelConstraint }));
      return model;
    };
    const data = makeData();
    const norms = (model: tf.LayersModel) =>
      tf.tidy(() => valuesOf(tf.norm(model.weights[0]!.read(), 'euclidean', 0)));
    const [model, other] = [make(), make()];
    model.compile({ optimizer: optim.adam(model, { lr: 0.3 }), loss: 'meanSquaredError' });
    other.compile({ optimizer: optim.adam({ lr: 0.3 }), loss: 'meanSquaredError' });
    await fitModel(model, data, 2);
    const before = tf.memory().numTensors;
    await fitModel(model, data, 2);
    expect(tf.memory().numTensors).toBe(before);
    await fitModel(other, data, 4);
    expect(Math.max(...norms(model))).toBeLessThan(0.5001);
    expect(Math.max(...norms(other))).toBeGreaterThan(0.6); // it was not told of layers
  });
});

describe('arenaVariables', () => {
  const train = async (model: tf.LayersModel, epochs = 3) => {
    model.compile({ optimizer: optim.adam({ lr: 0.05 }), loss: 'categoricalCrossentropy' });
    await fitModel(model, makeData(), epochs);
    return weightsOf(model);
  };

  it('keeps the values of a model in one block, which steps write', async () => {
    await tf.setBackend('cpu');
    const [model, plain] = [makeMlp(), makeMlp()];
    const { arena, variables } = arenaVariables(tf, model);
    expect(variables.map(({ name }) => name)).toEqual(model.weights.map(({ name }) => name));
    expect(weightsOf(model)).toEqual(weightsOf(plain));
    const weights = await train(model);
    expect(weights).toEqual(await train(plain));
    expect(arena.parameters.map(({ data }) => Array.from(data))).toEqual(weights);
  });

  it('takes what is assigned into the arena', async () => {
    const [model, plain] = [makeMlp(), makeMlp()];
    const { arena } = arenaVariables(tf, model);
    for (const each of [model, plain]) {
      tf.tidy(() => each.setWeights(each.getWeights().map((weight) => weight.mul(tf.scalar(0.5)))));
    }
    const weights = await train(model);
    expect(weights).toEqual(await train(plain));
    expect(Array.from(arena.parameters[0]!.data)).toEqual(weights[0]);
  });

  it('refuses other backends, and arenas of other shapes', async () => {
    await tf.setBackend('wasm');
    const model = makeMlp();
    model.predict(tf.zeros([1, 6]));
    expectError(() => arenaVariables(tf, model), { code: 'ERR_BACKEND', message: /cpu backend/ });
    await tf.setBackend('cpu');
    const other = makeMlp();
    expectError(() => arenaVariables(tf, other, new ParameterArena([[6, 8], [7]])), {
      code: 'ERR_INVALID_PARAMETER',
      message: /parameter 1 of the arena.*\[8\].*received \[7\]/,
    });
    expectError(() => arenaVariables(tf, 3), { code: 'ERR_INVALID_PARAMETER', message: /3/ });
  });

  it('is seen by other threads, which train on it', async () => {
    const model = makeMlp();
    const { arena } = arenaVariables(tf, model);
    await train(model, 1);
    const before = weightsOf(model);
    const worker = new Worker(new URL('arena-worker.mjs', import.meta.url), {
      workerData: arena.describe(),
      execArgv: [],
    });
    const seen = await new Promise<number[][]>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect(seen[0]).toEqual(before[0]); // it began with what was trained here
    const after = weightsOf(model);
    expect(after[0]).not.toEqual(before[0]); // and its steps are here
    expect(seen[1]).toEqual(after[0]);
  });
});
