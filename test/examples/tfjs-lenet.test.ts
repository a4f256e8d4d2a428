/** examples/tfjs-lenet: LeNet on wasm, beside TensorFlow.js's own Adam, saved and resumed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { enableWasmTraining } from 'gradstep/tfjs';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { slice } from '../../examples/lenet/digits.ts';
import { readDigits } from '../../examples/lenet/mnist.ts';
import { accuracy, makeLeNet } from '../../examples/tfjs-lenet/lenet.ts';
import { adamwOf, resume, save, setRates, train } from '../../examples/tfjs-lenet/train.ts';

const digits = slice(readDigits('train'), 0, 512);
const plan = { digits, steps: 40, batchSize: 16, seed: 1 };
const weightsOf = (model: tf.LayersModel) =>
  model.getWeights().map((weight) => Array.from(weight.dataSync()));

beforeAll(async () => {
  tf.env().set('PROD', true);
  enableWasmTraining(tf);
  await tf.setBackend('wasm');
});

it('learns about as well as the same script on tf.train.adam', () => {
  const [model, own] = [makeLeNet(1), makeLeNet(1)];
  expect(weightsOf(model)).toEqual(weightsOf(own));
  const losses = train(model, adamwOf(model), plan);
  const ownLosses = train(own, tf.train.adam(1e-3), plan);
  expect(losses[0]).toBe(ownLosses[0]);
  for (const list of [losses, ownLosses]) expect(list.at(-1)).toBeLessThan(0.7 * list[0]!);
  for (const each of [model, own]) expect(accuracy(each, digits)).toBeGreaterThan(0.5);
});

it('has two groups of layers, whose rates rise and fall', () => {
  const model = makeLeNet(1);
  const optimizer = adamwOf(model);
  expect(optimizer.paramGroups.map(({ name, params }) => [name, params.length])).toEqual([
    ['features', 4],
    ['head', 6],
  ]);
  const rates = () => optimizer.paramGroups.map(({ lr }) => lr);
  setRates(optimizer, 40);
  expect(rates()).toEqual([1e-4, 2e-4]);
  train(model, optimizer, plan, [0, 4]);
  setRates(optimizer, 40);
  expect(rates()).toEqual([1e-3, 2e-3]);
});

it('goes on with the same bits after it was saved', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-lenet-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const model = makeLeNet(1);
  const optimizer = adamwOf(model);
  train(model, optimizer, plan, [0, 5]);
  await save(model, optimizer, folder);
  const resumed = await resume(folder);
  expect(resumed.optimizer.paramGroups.map(({ name }) => name)).toEqual(['features', 'head']);
  const losses = train(model, optimizer, plan, [5, 10]);
  expect(train(resumed.model, resumed.optimizer, plan, [5, 10])).toEqual(losses);
  expect(weightsOf(resumed.model)).toEqual(weightsOf(model));
});
