/** Where values lie: copies that must not change, heaps that grow, backends that change. */

import { bindTfjs } from 'gradstep/tfjs';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  fitModel,
  makeData,
  makeMlp,
  noise,
  noisy,
  onEachTfBackend,
  tf,
  valuesOf,
  weightsOf,
} from './tf.ts';

const optim = bindTfjs(tf);

beforeEach(() => {
  tf.disposeVariables();
});

interface Heap {
  readonly wasm: { readonly HEAPU8: Uint8Array };
  readonly dataIdMap: { get(id: object): { memoryOffset: number } };
  numDataIds(): number;
}

const heap = () => tf.backend() as unknown as Heap;

/** A step of 1 downwards. */
function stepDown(optimizer: { applyGradients(g: never): void }, v: tf.Variable): void {
  const ones = tf.ones(v.shape);
  optimizer.applyGradients({ [v.name]: ones } as never);
  ones.dispose();
}

onEachTfBackend((backend) => {
  describe('snapshots', () => {
    it('of any kind stay as they are', async () => {
      const given = new Float32Array([1, 2, 3]);
      const v = tf.variable(tf.tensor1d(given), true, 'v');
      const optimizer = optim.sgd({ lr: 1 });
      const copies: [string, () => ArrayLike<number>][] = [['what the user gave', () => given]];
      for (let step = 0; step < 3; step++) {
        const sync = v.dataSync();
        const later = await v.data();
        const [clone, reshaped] = [v.clone(), v.reshape([3, 1])];
        const expected = Array.from(sync);
        stepDown(optimizer, v);
        expect(valuesOf(v)).toEqual(expected.map((x) => x - 1));
        for (const taken of [sync, later, clone.dataSync(), reshaped.dataSync()]) {
          expect(Array.from(taken)).toEqual(expected);
        }
        for (const tensor of [clone, reshaped]) if (step === 1) tensor.dispose();
      }
      for (const [what, copy] of copies) expect(Array.from(copy()), what).toEqual([1, 2, 3]);
    });

    it('saved or held as tensors stay as they are', async () => {
      const model = makeMlp();
      model.compile({ optimizer: optim.adam({ lr: 0.1 }), loss: 'categoricalCrossentropy' });
      const best = model.getWeights().map((weight) => weight.clone());
      const before = weightsOf(model);
      await fitModel(model, makeData(), 3);
      expect(best.map(valuesOf)).toEqual(before);
      model.setWeights(best);
      expect(weightsOf(model)).toEqual(before);
    });
  });

  describe('nothing is left behind', () => {
    it('in a thousand steps', () => {
      const model = makeMlp();
      const { xs, ys } = makeData(8);
      const optimizer = optim.adamw(model, { lr: 1e-3, maxGradNorm: 1 });
      const cost = () =>
        tf.losses.meanSquaredError(ys, model.predict(xs) as tf.Tensor) as tf.Scalar;
      const count = () => {
        const { numTensors, numDataBuffers, numBytes } = tf.memory();
        const ids = backend === 'wasm' ? heap().numDataIds() : 0;
        const bytes = backend === 'wasm' ? heap().wasm.HEAPU8.byteLength : 0;
        return { numTensors, numDataBuffers, numBytes, ids, bytes };
      };
      for (let i = 0; i < 3; i++) optimizer.minimize(cost);
      const before = count();
      for (let i = 0; i < 1000; i++) optimizer.minimize(cost);
      expect(count()).toEqual(before);
    });
  });

  describe('variables that lie elsewhere', () => {
    it('come from another backend in mid-run', async () => {
      const run = async (switchAt: number) => {
        await tf.setBackend(backend);
        const model = makeMlp();
        const data = makeData();
        model.compile({ optimizer: optim.adam({ lr: 0.01 }), loss: 'categoricalCrossentropy' });
        for (let epoch = 0; epoch < 6; epoch++) {
          if (epoch === switchAt) await tf.setBackend(backend === 'cpu' ? 'wasm' : 'cpu');
          await fitModel(model, data, 1);
        }
        const after = weightsOf(model).flat();
        await tf.setBackend(backend);
        return after;
      };
      const [alone, switched] = [await run(-1), await run(3)];
      const difference = Math.max(...alone.map((x, i) => Math.abs(x - switched[i]!)));
      expect(difference).toBeLessThan(1e-5);
    });

    it('were made on another backend, and have gradients of another one', async () => {
      const other = backend === 'cpu' ? 'wasm' : 'cpu';
      await tf.setBackend(other);
      const [a, b] = [tf.variable(tf.zeros([3]), true, 'a'), tf.variable(tf.zeros([2]), true, 'b')];
      await tf.setBackend(backend);
      const optimizer = optim.sgd({ lr: 1 });
      const [one, two] = [tf.ones([3]), tf.ones([2])];
      optimizer.applyGradients({ a: one, b: two });
      await tf.setBackend(other);
      optimizer.applyGradients({ a: one, b: tf.ones([2]) });
      await tf.setBackend(backend);
      expect([valuesOf(a), valuesOf(b)]).toEqual([
        [-2, -2, -2],
        [-2, -2],
      ]);
    });

    it('are assigned by the user between steps', () => {
      const v = tf.variable(tf.zeros([2]), true, 'v');
      const optimizer = optim.sgd({ lr: 1 });
      stepDown(optimizer, v);
      const held = tf.tensor1d([5, 6]);
      v.assign(held);
      stepDown(optimizer, v);
      expect([valuesOf(v), valuesOf(held)]).toEqual([
        [4, 5],
        [5, 6],
      ]);
    });

    it('take the memory that another one has left', () => {
      const a = tf.variable(tf.zeros([8]), true, 'a');
      const optimizer = optim.sgd({ lr: 1 });
      stepDown(optimizer, a);
      const held = a.clone(); // a moves away with the next step
      stepDown(optimizer, a);
      const b = tf.variable(held, true, 'b');
      held.dispose();
      stepDown(optimizer, b);
      expect([valuesOf(a)[0], valuesOf(b)[0]]).toEqual([-2, -2]);
    });
  });
});

describe('the heap of wasm', () => {
  it('is stepped in place, and forward passes see it', async () => {
    await tf.setBackend('wasm');
    const train = (optimizer: tf.Optimizer) => {
      const model = makeMlp();
      model.compile({ optimizer, loss: 'categoricalCrossentropy' });
      const address = () =>
        model.weights.map((weight) => heap().dataIdMap.get(weight.read().dataId).memoryOffset);
      return { model, address };
    };
    const { model, address } = train(optim.adam({ lr: 1e-2, eps: 1e-7 }));
    const { model: other } = train(tf.train.adam(1e-2));
    const data = makeData();
    await fitModel(model, data, 1);
    const before = address();
    await fitModel(model, data, 20);
    await fitModel(other, data, 21);
    expect(address()).toEqual(before);
    const [a, b] = [weightsOf(model).flat(), weightsOf(other).flat()];
    expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))).toBeLessThan(1e-5);
  });

  it('may grow in mid-run, between steps and within one', async () => {
    await tf.setBackend('wasm');
    const [a, b] = [noisy([100], 'a'), noisy([100], 'b')];
    const optimizer = optim.sgd({ lr: 0.5 });
    const expected = [a, b].map(valuesOf);
    const step = (v: tf.Variable, i: number) => {
      stepDown(optimizer, v);
      expected[i] = expected[i]!.map((x) => Math.fround(x - 0.5));
    };
    step(a, 0);
    step(b, 1);
    const large: tf.Tensor[] = [];
    for (let round = 0; round < 3; round++) {
      const { byteLength } = heap().wasm.HEAPU8;
      while (heap().wasm.HEAPU8.byteLength === byteLength) large.push(tf.zeros([1024, 1024]));
      step(a, 0); // b has no gradient, and its view is gone
      step(b, 1);
      // Held: the step makes new memory for it, in the middle of which the heap may grow.
      large.push(a.clone());
      step(a, 0);
    }
    expect([a, b].map(valuesOf)).toEqual(expected);
    tf.dispose(large);
  });
});

describe('the arrays of cpu', () => {
  it('are written in place on request', async () => {
    await tf.setBackend('cpu');
    const inPlace = bindTfjs(tf, { inPlace: true });
    const given = new Float32Array([1, 2]);
    const initial = tf.tensor1d(given);
    const v = tf.variable(initial, true, 'v');
    initial.dispose();
    const optimizer = inPlace.sgd({ lr: 1 });
    stepDown(optimizer, v);
    const array = v.dataSync();
    stepDown(optimizer, v);
    expect(v.dataSync()).toBe(array);
    expect(Array.from(array)).toEqual([-1, 0]);
    const held = v.clone();
    stepDown(optimizer, v);
    expect([valuesOf(v), valuesOf(held)]).toEqual([
      [-2, -1],
      [-1, 0],
    ]);
  });

  it('give the bits of the copies', async () => {
    await tf.setBackend('cpu');
    const train = (bound: typeof optim) => {
      const v = noisy([300], 'v', 4);
      const optimizer = bound.adam({ lr: 0.01 });
      for (let i = 0; i < 5; i++) optimizer.minimize(() => v.square().sum() as tf.Scalar);
      const values = valuesOf(v);
      v.dispose();
      return values;
    };
    expect(train(bindTfjs(tf, { inPlace: true }))).toEqual(train(optim));
  });
});

describe('any other backend', () => {
  it('is read and assigned', async () => {
    await tf.setBackend('cpu');
    const { constructor: Cpu } = tf.backend() as unknown as {
      constructor: new () => tf.KernelBackend;
    };
    tf.registerBackend('other', () => new Cpu());
    tf.copyRegisteredKernels('cpu', 'other');
    const run = async (backend: string) => {
      await tf.setBackend(backend);
      const model = makeMlp();
      const data = makeData();
      model.compile({ optimizer: optim.adam({ lr: 0.01 }), loss: 'categoricalCrossentropy' });
      await fitModel(model, data, 2);
      const before = tf.memory().numTensors;
      const snapshot = model.weights[0]!.read().dataSync();
      const copy = Array.from(snapshot);
      await fitModel(model, data, 2);
      expect(Array.from(snapshot)).toEqual(copy);
      expect(tf.memory().numTensors).toBe(before);
      return weightsOf(model);
    };
    expect(await run('other')).toEqual(await run('cpu'));
    await tf.setBackend('cpu');
    tf.removeBackend('other');
  });
});

it('makes the same noise each time', () => {
  expect(Array.from(noise(3))).toEqual(Array.from(noise(3)));
  expect(Array.from(noise(3, 2))).not.toEqual(Array.from(noise(3)));
});
