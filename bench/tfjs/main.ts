/**
 * Training with TensorFlow.js: its own optimizers beside gradstep's, whole steps and the optimizer's
 * part of them, on both backends, in turn in one process.
 */

import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { setNumThreads } from 'gradstep';
import { bindTfjs, enableWasmTraining } from 'gradstep/tfjs';
import { interleave, type Rounds, type Subject, subject } from '../measure.ts';
import { MODELS, type ModelKind } from './models.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});

const optim = bindTfjs(tf);
const RULES: Record<string, [own: () => tf.Optimizer, ours: () => tf.Optimizer]> = {
  Adam: [() => tf.train.adam(1e-3), () => optim.adam({ lr: 1e-3 })],
  momentum: [() => tf.train.momentum(1e-3, 0.9), () => optim.sgd({ lr: 1e-3, momentum: 0.9 })],
};

/** A whole step, and the optimizer's part with gradients that stand, for a model of its own. */
function subjectsOf(kind: ModelKind, optimizer: tf.Optimizer): [whole: Subject, part: Subject] {
  const { variables, loss } = kind.make();
  const list = [...variables];
  const { value, grads } = tf.variableGrads(loss, list);
  value.dispose();
  return [
    subject('whole', () => void optimizer.minimize(loss, false, list)),
    subject('part', () => optimizer.applyGradients(grads)),
  ];
}

/** Milliseconds of the middle round. */
function middle(rounds: Rounds): number {
  const times = rounds.filter((time) => time !== null).sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)]! / 1e6;
}

/** Of two subjects that are compared, the middle of their ratios round by round. */
function gain(own: Rounds, ours: Rounds): number {
  return middle(
    own.map((time, i) => {
      const other = ours[i];
      return time === null || other === null || other === undefined ? null : (time / other) * 1e6;
    }),
  );
}

async function measureRow(backend: string, kind: ModelKind, rule: string): Promise<void> {
  const [own, ours] = RULES[rule]!;
  const subjects = [own(), ours()].flatMap((optimizer) => subjectsOf(kind, optimizer));
  const rounds = await interleave(subjects, { seconds: options.quick ? 1 : 8 });
  const [ownWhole, ownPart, whole, part] = rounds as [Rounds, Rounds, Rounds, Rounds];
  const ms = (list: Rounds) => middle(list).toPrecision(3).padStart(8);
  const cells = [backend.padEnd(5), kind.name.padEnd(32), rule.padEnd(9)];
  const times = [ownWhole, whole, ownPart, part].map(ms);
  const gains = [gain(ownWhole, whole), gain(ownPart, part)].map(
    (value) => `${value.toPrecision(3).padStart(6)} ×`,
  );
  console.log([...cells, ...times, ...gains].join(' '));
  tf.disposeVariables();
}

tf.env().set('PROD', true);
enableWasmTraining(tf);
setNumThreads(1);
console.log(
  'milliseconds: whole step with its own optimizer and gradstep, the optimizer alone likewise; gains',
);
for (const backend of ['cpu', 'wasm']) {
  await tf.setBackend(backend);
  for (const kind of MODELS) {
    for (const rule of Object.keys(RULES)) {
      const name = `${backend} ${kind.name} ${rule}`;
      if (name.includes(options.only)) await measureRow(backend, kind, rule);
    }
  }
}
