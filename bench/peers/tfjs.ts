/** TensorFlow.js, whichever backend: tfjs-cpu.ts and tfjs-wasm.ts name theirs. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Subject, subject } from '../measure.ts';
import { fillGradient, type OptimizerName, SETTINGS } from '../model.ts';
import { root } from '../root.ts';
import type { OpenWork } from './peer.ts';

interface Tensor {
  dispose(): void;
}

interface Optimizer {
  applyGradients(gradients: Record<string, Tensor>): void;
  dispose(): void;
}

/** As much of @tensorflow/tfjs-core as is called here. */
interface TensorFlow {
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor1d(values: Float32Array): Tensor;
  variable(initial: Tensor, trainable: boolean, name: string): Tensor;
  train: {
    adam(lr: number, beta1: number, beta2: number, epsilon: number): Optimizer;
    momentum(lr: number, momentum: number): Optimizer;
  };
}

let made = 0;

/** @throws {Error} with the command that installs it, when it is not installed. */
export async function openTfjs(name: string, backend: 'cpu' | 'wasm'): Promise<OpenWork> {
  const tf = await load(backend);
  return (optimizer, lengths) => {
    void tf.setBackend(backend); // at once, since it is initialized
    const work = makeWork(tf, optimizer, lengths);
    const { run } = subject(name, work.step);
    return {
      name,
      run(steps) {
        void tf.setBackend(backend);
        return run(steps);
      },
      close: work.close,
    };
  };
}

async function load(backend: string): Promise<TensorFlow> {
  const require = createRequire(join(root, 'bench', 'peers', 'npm', 'package.json'));
  let tf: TensorFlow;
  try {
    tf = require('@tensorflow/tfjs-core') as TensorFlow;
    require(`@tensorflow/tfjs-backend-${backend}`);
  } catch (cause) {
    throw new Error('not installed: npm run bench:peers installs it', { cause });
  }
  tf.enableProdMode();
  await tf.setBackend(backend);
  await tf.ready();
  return tf;
}

function makeWork(
  tf: TensorFlow,
  optimizer: OptimizerName,
  lengths: readonly number[],
): { step(): void } & Required<Pick<Subject, 'close'>> {
  made += 1;
  const variables: Tensor[] = [];
  const gradients: Record<string, Tensor> = {};
  lengths.forEach((length, i) => {
    const name = `${made}/${i}`;
    const initial = tf.tensor1d(new Float32Array(length));
    variables.push(tf.variable(initial, true, name));
    initial.dispose();
    const grad = new Float32Array(length);
    fillGradient(grad);
    gradients[name] = tf.tensor1d(grad);
  });
  const { AdamW, SGD } = SETTINGS; // tfjs has no decoupled decay: Adam does less work than AdamW
  const train =
    optimizer === 'AdamW'
      ? tf.train.adam(AdamW.lr, ...AdamW.betas, AdamW.eps)
      : tf.train.momentum(SGD.lr, SGD.momentum);
  return {
    step: () => train.applyGradients(gradients),
    close() {
      train.dispose();
      for (const tensor of [...variables, ...Object.values(gradients)]) tensor.dispose();
    },
  };
}
