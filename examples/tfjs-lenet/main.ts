/**
 * LeNet on handwritten digits with TensorFlow.js's wasm backend, which cannot train convolutions
 * by itself: gradstep's AdamW with two groups, warm-up and checkpoint, beside `tf.train.adam`.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { enableWasmTraining } from 'gradstep/tfjs';
import { slice } from '../lenet/digits.ts';
import { readDigits } from '../lenet/mnist.ts';
import { accuracy, makeLeNet } from './lenet.ts';
import { adamwOf, resume, save, train } from './train.ts';

const steps = Number(process.argv[2] ?? 120);
const batchSize = 32;

tf.env().set('PROD', true);
enableWasmTraining(tf);
await tf.setBackend('wasm');

const digits = slice(readDigits('train'), 0, 4096);
const test = slice(readDigits('test'), 0, 1000);
const plan = { digits, steps, batchSize, seed: 1 };

function report(name: string, model: tf.LayersModel, losses: readonly number[], ms: number): void {
  const share = (100 * accuracy(model, test)).toFixed(1);
  const each = (ms / losses.length).toFixed(1);
  console.log(`${name}: loss ${losses.at(-1)!.toFixed(3)}, ${share} % right, ${each} ms a step`);
}

const own = makeLeNet(1);
const begin = performance.now();
const ownLosses = train(own, tf.train.adam(1e-3), plan);
report('tf.train.adam', own, ownLosses, performance.now() - begin);

const folder = mkdtempSync(join(tmpdir(), 'tfjs-lenet-'));
try {
  const half = Math.floor(steps / 2);
  const begun = makeLeNet(1);
  const optimizer = adamwOf(begun);
  const first = performance.now();
  const losses = train(begun, optimizer, plan, [0, half]);
  const spent = performance.now() - first;
  await save(begun, optimizer, folder);
  const resumed = await resume(folder);
  const second = performance.now();
  losses.push(...train(resumed.model, resumed.optimizer, plan, [half, steps]));
  report('gradstep AdamW', resumed.model, losses, spent + performance.now() - second);
  train(begun, optimizer, plan, [half, steps]);
  const weights = [begun, resumed.model].map((model) => model.getWeights());
  const isSame = weights[0]!.every((weight, i) =>
    tf.util.arraysEqual(weight.dataSync(), weights[1]![i]!.dataSync()),
  );
  console.log(`resumed at step ${half}: ${isSame ? 'the same bits' : 'other bits'} as without`);
} finally {
  rmSync(folder, { recursive: true });
}
