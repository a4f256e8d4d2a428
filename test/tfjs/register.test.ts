/** `tf.train` after one line: native, and the very bits of TensorFlow.js's own. */

import { spawnSync } from 'node:child_process';
import { setBackend } from 'gradstep';
import { registerTfjs } from 'gradstep/tfjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bits, expectError } from './gradstep.ts';
import {
  artifactsOf,
  fitModel,
  makeData,
  makeMlp,
  noise,
  noisy,
  onEachTfBackend,
  tf,
  weightsOf,
} from './tf.ts';

/** TensorFlow.js's own, from before. */
const own: Record<string, (...args: unknown[]) => tf.Optimizer> = {};
for (const name of Object.getOwnPropertyNames(tf.train)) {
  const value: unknown = Reflect.get(tf.train, name);
  if (typeof value === 'function') own[name] = value.bind(tf.train) as never;
}
const ownClasses = new Map(
  Object.entries(
    tf.serialization.SerializationMap.getMap().classNameMap as Record<string, [unknown, unknown]>,
  ),
);

registerTfjs(tf);
registerTfjs(tf);
const train = tf.train as unknown as typeof own;

/** Each with its defaults where it has some, and with everything else. */
const CASES: [name: string, ...args: unknown[]][] = [
  ['sgd', 0.1],
  ['momentum', 0.1, 0.9],
  ['momentum', 0.05, 0.5, true],
  ['rmsprop', 0.01],
  ['rmsprop', 0.01, 0.8, 0.5, 1e-6],
  ['rmsprop', 0.01, 0.9, 0.2, 0.1, true],
  ['adagrad', 0.1],
  ['adagrad', 0.1, 0.5],
  ['adadelta'],
  ['adadelta', 1, 0.9, 1e-6],
  ['adam'],
  ['adam', 0.05, 0.8, 0.95, 1e-4],
  ['adamax'],
  ['adamax', 0.05, 0.8, 0.95, 1e-4, 0.1],
];

const LENGTHS = [1000, 33, 1];
const SCALES = [1, 1e-2, 1e-4];

interface Steps {
  readonly scale: number;
  /** Steps in which the second variable has no gradient. */
  readonly gaps?: boolean;
}

/** Hands an optimizer random gradients a hundred times; gives the bits of all variables. */
function walk(optimizer: tf.Optimizer, { scale, gaps = false }: Steps): number[][] {
  const variables = LENGTHS.map((length, i) => noisy([length], `v${i}`, i + 1));
  for (let step = 0; step < 100; step++) {
    tf.tidy(() => {
      const gradients = LENGTHS.map((length, i) => ({
        name: `v${i}`,
        tensor:
          gaps && i === 1 && step % 3 !== 1
            ? (null as never)
            : tf.tensor1d(noise(length, 10 * step + i).map((x) => x * scale)),
      }));
      optimizer.applyGradients(gradients);
    });
  }
  const result = variables.map((v) => bits(v.dataSync() as Float32Array));
  tf.dispose(variables);
  optimizer.dispose();
  return result;
}

beforeEach(() => {
  tf.disposeVariables();
});

onEachTfBackend((backend) => {
  for (const stepper of ['native', 'portable'] as const) {
    describe(`stepped by the ${stepper} backend`, () => {
      beforeAll(() => setBackend(stepper));
      afterAll(() => setBackend('native'));
      for (const [name, ...args] of CASES) {
        it(`${name}(${args.join(', ')}) has no bit else than TensorFlow.js's own`, () => {
          for (const scale of SCALES) {
            for (const gaps of [false, true]) {
              const steps = { scale, gaps };
              expect(walk(train[name]!(...args), steps)).toEqual(walk(own[name]!(...args), steps));
            }
          }
        });
      }
    });
  }

  it('is what strings in compile mean', async () => {
    const names = ['sgd', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'adamax', 'Adam', 'SGD'];
    const data = makeData();
    for (const name of names) {
      const run = async (optimizer: string | tf.Optimizer) => {
        const model = makeMlp();
        model.compile({ optimizer, loss: 'categoricalCrossentropy' });
        const { constructor: Class } = model.optimizer;
        await fitModel(model, data, 5);
        return { weights: weightsOf(model), Class };
      };
      const defaults: Record<string, unknown[]> = {
        sgd: [0.01],
        rmsprop: [0.001, 0.9, 0, 1e-7],
        adagrad: [0.01],
        adadelta: [1, 0.95, 1e-7],
        adam: [0.001, 0.9, 0.999, 1e-7],
        adamax: [0.002, 0.9, 0.999, 1e-7, 0],
      };
      const key = name.toLowerCase();
      const [ours, theirs] = [await run(name), await run(own[key]!(...defaults[key]!))];
      expect(ours.Class).not.toBe(theirs.Class);
      expect(ours.weights, `${name} on ${backend}`).toEqual(theirs.weights);
    }
  });
});

describe('saved models', () => {
  /** Loads with TensorFlow.js's own classes. */
  async function loadAsBefore(artifacts: tf.io.ModelArtifacts): Promise<tf.LayersModel> {
    const { classNameMap } = tf.serialization.SerializationMap.getMap();
    const ours = { ...classNameMap };
    for (const [name, entry] of ownClasses) Reflect.set(classNameMap, name, entry);
    try {
      return await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    } finally {
      for (const [name, entry] of Object.entries(ours)) Reflect.set(classNameMap, name, entry);
    }
  }

  const saved: [string, unknown[]][] = [
    ['sgd', [0.05]],
    ['momentum', [0.05, 0.9, true]],
    ['rmsprop', [0.01, 0.9, 0.5, 1e-7, false]],
    ['adagrad', [0.05]],
    ['adadelta', [1]],
    ['adam', [0.02]],
    ['adamax', [0.02]],
  ];
  for (const [name, args] of saved) {
    it(`of ${name} resume bit for bit, and go to TensorFlow.js's own and back`, async () => {
      await tf.setBackend('cpu');
      const data = makeData();
      const model = makeMlp();
      model.compile({ optimizer: train[name]!(...args), loss: 'categoricalCrossentropy' });
      await fitModel(model, data, 3);
      const artifacts = await artifactsOf(model);
      const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
      expect(loaded.optimizer.constructor).toBe(model.optimizer.constructor);
      expect(loaded.optimizer.getConfig()).toEqual(model.optimizer.getConfig());
      // Theirs cannot save adamax at all; their adam begins with other powers of its betas.
      const theirs = name === 'adamax' ? undefined : await loadAsBefore(artifacts);
      if (theirs) expect(theirs.optimizer.constructor).not.toBe(model.optimizer.constructor);
      const back =
        theirs && (await tf.loadLayersModel(tf.io.fromMemory(await artifactsOf(theirs))));
      for (const each of [model, loaded, theirs, back]) if (each) await fitModel(each, data, 3);
      expect(weightsOf(loaded)).toEqual(weightsOf(model));
      if (back) expect(weightsOf(back)).toEqual(weightsOf(model));
      if (!theirs) return;
      const [a, b] = [weightsOf(model).flat(), weightsOf(theirs).flat()];
      const most = Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
      expect(most).toBeLessThanOrEqual(name === 'adam' ? 1e-5 : 0);
    });
  }
});

describe('what others do with an optimizer of tf.train', () => {
  it('is possible here too', () => {
    const v = tf.variable(tf.zeros([2]), true, 'v');
    const optimizer = tf.train.momentum(0.5, 0.9);
    const ones = tf.ones([2]);
    const step = () => {
      const before = v.dataSync()[0]!;
      optimizer.applyGradients({ v: ones as never });
      return Math.round((before - v.dataSync()[0]!) * 1e6) / 1e6;
    };
    expect(step()).toBe(0.5);
    (optimizer as unknown as { learningRate: number }).learningRate = 0.25;
    expect(step()).toBe(Math.round(0.25 * 1.9 * 1e6) / 1e6); // TensorFlow.js's own ignores it
    optimizer.setLearningRate(0);
    expect(step()).toBe(0);
    optimizer.setMomentum(0);
    expect(optimizer.getConfig()).toEqual({ learningRate: 0, momentum: 0, useNesterov: false });
    expect(optimizer.getClassName()).toBe('Momentum');
  });

  it('keeps state by variable, and works when it is made inside of tidy', () => {
    const [a, b] = [tf.variable(tf.zeros([2]), true, 'a'), tf.variable(tf.zeros([3]), true, 'b')];
    let optimizer: tf.Optimizer | undefined;
    tf.tidy(() => {
      optimizer = tf.train.adam(0.1);
    });
    optimizer!.minimize(() => a.sum().add(b.sum()) as tf.Scalar, false, [a, b]);
    optimizer!.minimize(() => b.sum() as tf.Scalar, false, [b]);
    expect([a, b].map((v) => v.dataSync()[0]! < -0.05)).toEqual([true, true]);
    const before = tf.memory().numTensors;
    optimizer!.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('needs a learning rate where there is no default', () => {
    for (const name of ['sgd', 'momentum', 'rmsprop', 'adagrad']) {
      expectError(() => train[name]!(), {
        code: 'ERR_INVALID_OPTION',
        message: new RegExp(`learningRate of tf.train.${name}`),
      });
    }
    expectError(() => train.adam!('0.1'), { code: 'ERR_INVALID_OPTION', message: /'0.1'/ });
  });
});

describe('gradstep/tfjs/register', () => {
  it('finds the TensorFlow.js that is installed', async () => {
    const before = tf.train.adam;
    await import('../../lib/tfjs/register.ts');
    expect(tf.train.adam).toBe(before); // it was registered above
  });

  it.each([
    ['import', "import tf from '@tensorflow/tfjs'; import 'gradstep/tfjs/register';"],
    ['require', "const tf = require('@tensorflow/tfjs'); require('gradstep/tfjs/register');"],
  ])('is one line of a program that is run with %s', (kind, lines) => {
    const program = `${lines}
      const v = tf.variable(tf.tensor1d([1]), true, 'v');
      const optimizer = tf.train.sgd(0.5);
      optimizer.minimize(() => v.square().sum());
      console.log(v.dataSync()[0], 'paramGroups' in optimizer);`;
    const type = kind === 'import' ? 'module' : 'commonjs';
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [`--input-type=${type}`, '-e', program],
      {
        encoding: 'utf8',
      },
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^0 true$/m);
  });

  it('refuses what has no optimizers', () => {
    expectError(() => registerTfjs({} as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /TensorFlow.js/,
    });
  });
});
