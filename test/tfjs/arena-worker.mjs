// A thread that trains variables on the memory of another one. It uses what is built: threads do
// not have the test runner's loader.
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { ParameterArena } from '../../dist/index.js';
import { arenaVariables, bindTfjs } from '../../dist/tfjs/index.js';

const tf = createRequire(import.meta.url)('@tensorflow/tfjs');
await tf.setBackend('cpu');
const arena = ParameterArena.open(workerData);
const variables = arena.parameters.map(({ shape }, i) => {
  return tf.variable(tf.zeros([...shape]), true, `v${i}`);
});
arenaVariables(tf, variables, arena);
const values = () => Array.from(variables[0].dataSync());
const before = values();
const optimizer = bindTfjs(tf).sgd(variables, { lr: 0.1 });
optimizer.minimize(() => variables[0].square().sum());
parentPort.postMessage([before, values()]);
