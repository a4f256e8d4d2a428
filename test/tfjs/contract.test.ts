/** What TensorFlow.js asks of an optimizer, and what is refused. */

import { Adam, listOptimizers, SGD } from 'gradstep';
import { bindTfjs } from 'gradstep/tfjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { bits, expectError, Parameter } from './gradstep.ts';
import { noise, noisy, onEachTfBackend, tf, valuesOf } from './tf.ts';

const optim = bindTfjs(tf);

beforeEach(() => {
  tf.disposeVariables();
});

/** What gradstep itself makes of these values. */
function expected(values: Float32Array, grads: Float32Array[], lr = 0.1): Float32Array {
  const parameter = new Parameter(values.slice());
  const optimizer = new Adam([parameter], { lr });
  for (const grad of grads) {
    parameter.grad = grad.slice();
    optimizer.step();
  }
  return parameter.data as Float32Array;
}

onEachTfBackend(() => {
  describe('an optimizer of optim', () => {
    it('is one of gradstep and one of TensorFlow.js', () => {
      const optimizer = optim.adam({ lr: 0.1 });
      expect(optimizer).toBeInstanceOf(Adam);
      expect(optimizer).toBeInstanceOf(tf.Optimizer);
      expect(optimizer.getClassName()).toBe('gradstep>Adam');
      expect(String(optimizer)).toMatch(/^Adam \(/);
      expect(optimizer.paramGroups[0]!.lr).toBe(0.1);
    });

    it('is there for every class of gradstep', () => {
      const v = noisy([4, 3], 'v');
      expect(Object.keys(optim)).toEqual(listOptimizers());
      for (const make of Object.values(optim) as (typeof optim.adam)[]) {
        const before = valuesOf(v);
        const optimizer = make({ lr: 0.1 });
        optimizer.minimize(() => v.square().sum() as tf.Scalar);
        expect(valuesOf(v)).not.toEqual(before);
        optimizer.dispose();
      }
    });

    it('has the bits of gradstep', () => {
      const values = noise(700);
      const v = tf.tidy(() => tf.variable(tf.tensor1d(values.slice()), true, 'v'));
      const optimizer = optim.adam({ lr: 0.1 });
      const grads = [1, 2, 3, 4, 5].map((seed) => noise(700, seed));
      for (const grad of grads) {
        const tensor = tf.tensor1d(grad.slice());
        optimizer.applyGradients({ v: tensor });
        tensor.dispose();
      }
      expect(bits(v.dataSync() as Float32Array)).toEqual(bits(expected(values, grads)));
      expect(optimizer.iterations).toBe(5);
    });

    it('minimizes, and gives the cost if asked', () => {
      const v = noisy([4], 'v');
      const optimizer = optim.sgd({ lr: 0.25 });
      const cost = () => v.square().sum() as tf.Scalar;
      const first = valuesOf(v);
      const before = tf.memory().numTensors;
      const given = optimizer.minimize(cost, true)!;
      expect(given.dataSync()[0]).toBeCloseTo(
        first.reduce((sum, x) => sum + x * x, 0),
        5,
      );
      given.dispose();
      expect(optimizer.minimize(cost)).toBeNull();
      expect(tf.memory().numTensors).toBe(before);
      expect(valuesOf(v)).toEqual(first.map((x) => Math.fround(x / 4)));
    });

    it('computes gradients', () => {
      const v = noisy([2], 'v');
      const { value, grads } = optim.sgd().computeGradients(() => v.sum() as tf.Scalar);
      expect(valuesOf(grads.v!)).toEqual([1, 1]);
      tf.dispose([value, grads.v!]);
    });

    it('takes gradients by name and as a list, and leaves out what has none', () => {
      const [a, b, c] = ['a', 'b', 'c'].map((name) => tf.variable(tf.zeros([2]), true, name));
      const optimizer = optim.sgd({ lr: 1 });
      const one = tf.ones([2]);
      optimizer.applyGradients({ a: one, b: null as never });
      optimizer.applyGradients([
        { name: 'b', tensor: one },
        { name: 'a', tensor: null as never },
        { name: 'c', tensor: undefined as never },
      ]);
      optimizer.applyGradients({});
      expect([a!, b!, c!].map((v) => valuesOf(v)[0])).toEqual([-1, -1, 0]);
      expect(optimizer.iterations).toBe(3);
      expect(optimizer.parameterOf(c!)).toBeUndefined();
    });

    it('takes gradients of whole numbers', () => {
      const v = tf.variable(tf.zeros([3]), true, 'v');
      optim.sgd({ lr: 0.5 }).applyGradients({ v: tf.tensor1d([1, -2, 3], 'int32') });
      expect(valuesOf(v)).toEqual([-0.5, 1, -1.5]);
    });

    it('takes one tensor for two variables, and a gradient that is the variable itself', () => {
      const start = tf.tensor1d([1, 2]);
      const [a, b] = [tf.variable(start, true, 'a'), tf.variable(start, true, 'b')];
      const optimizer = optim.sgd({ lr: 0.5 });
      const one = tf.ones([2]);
      optimizer.applyGradients({ a: one, b: one });
      optimizer.applyGradients({ a: a.clone(), b: b });
      expect([valuesOf(a), valuesOf(b), valuesOf(start)]).toEqual([
        [0.25, 0.75],
        [0.25, 0.75],
        [1, 2],
      ]);
    });

    it('steps scalars and empty variables', () => {
      const [empty, scalar] = [
        tf.variable(tf.zeros([0, 3]), true, 'empty'),
        tf.variable(tf.scalar(1), true, 'scalar'),
      ];
      const optimizer = optim.adam({ lr: 0.5 });
      optimizer.applyGradients({ empty: tf.zeros([0, 3]), scalar: tf.scalar(2) });
      expect(empty.shape).toEqual([0, 3]);
      expect(valuesOf(scalar)[0]).toBeCloseTo(0.5, 6);
    });

    it('clips, skips infinite gradients and runs hooks as everywhere in gradstep', () => {
      const v = tf.variable(tf.zeros([2]), true, 'v');
      const optimizer = optim.sgd({ lr: 1, maxGradNorm: 1, onNonFinite: 'skip' });
      let steps = 0;
      optimizer.registerStepPostHook(() => {
        steps += 1;
      });
      optimizer.applyGradients({ v: tf.tensor1d([3, 4]) });
      expect(optimizer.lastStep!.gradNorm).toBe(5);
      expect(valuesOf(v)[1]).toBeCloseTo(-0.8, 5);
      const before = valuesOf(v);
      optimizer.applyGradients({ v: tf.tensor1d([1, Number.POSITIVE_INFINITY]) });
      expect(valuesOf(v)).toEqual(before);
      expect([optimizer.lastStep!.skipped, steps]).toEqual([1, 2]);
    });

    it('is done after dispose', () => {
      const v = noisy([2], 'v');
      const optimizer = optim.adam();
      optimizer.minimize(() => v.sum() as tf.Scalar);
      const before = tf.memory().numTensors;
      optimizer.dispose();
      optimizer.dispose();
      expect(tf.memory().numTensors).toBe(before);
      expectError(() => optimizer.minimize(() => v.sum() as tf.Scalar), {
        code: 'ERR_DISPOSED',
        message: /disposed/,
      });
    });
  });

  describe('what is refused', () => {
    const refuse = (gradients: () => unknown, code: string, message: RegExp) => {
      tf.disposeVariables();
      const v = tf.variable(tf.tensor1d([1, 2]), true, 'dense/kernel');
      const optimizer = optim.sgd({ lr: 1 });
      expectError(() => optimizer.applyGradients(gradients() as never), { code, message });
      expect(valuesOf(v)).toEqual([1, 2]);
      expect(optimizer.iterations).toBe(0);
    };

    it('names variables', () => {
      const ones = () => tf.ones([2]);
      refuse(() => ({ 'dense/kernal': ones() }), 'ERR_INVALID_PARAMETER', /mean 'dense\/kernel'/);
      refuse(
        () => ({ 'dense/kernel': tf.ones([3]) }),
        'ERR_INVALID_GRADIENT',
        /variable 'dense\/kernel' to be a tensor of shape \[2\] but received one of shape \[3\]/,
      );
      refuse(() => ({ 'dense/kernel': tf.scalar(1) }), 'ERR_INVALID_GRADIENT', /of shape \[\]/);
      refuse(() => ({ 'dense/kernel': 3 }), 'ERR_INVALID_GRADIENT', /received 3/);
      refuse(
        () => [
          { name: 'dense/kernel', tensor: ones() },
          { name: 'dense/kernel', tensor: ones() },
        ],
        'ERR_DUPLICATE_PARAMETER',
        /'dense\/kernel' is given two gradients/,
      );
      refuse(
        () => {
          const gone = ones();
          gone.dispose();
          return { 'dense/kernel': gone };
        },
        'ERR_INVALID_GRADIENT',
        /disposed/,
      );
      refuse(() => ({ constructor: ones() }), 'ERR_INVALID_PARAMETER', /'constructor'/);
    });

    it('refuses what are no gradients', () => {
      refuse(() => null, 'ERR_INVALID_GRADIENT', /received null/);
      refuse(() => [null], 'ERR_INVALID_GRADIENT', /index 0/);
      refuse(() => [tf.ones([2])], 'ERR_INVALID_GRADIENT', /index 0/);
    });

    it('steps no whole numbers', () => {
      const v = tf.variable(tf.tensor1d([1, 2], 'int32'), true, 'v');
      expectError(() => optim.sgd().applyGradients({ v: tf.ones([2]) }), {
        code: 'ERR_INVALID_PARAMETER',
        message: /'v' to be of float32 but it is of int32/,
      });
      expect(valuesOf(v)).toEqual([1, 2]);
    });

    it('leaves all as it was when a step is refused', () => {
      const v = tf.variable(tf.tensor1d([1, 2]), true, 'v');
      const optimizer = optim.adam({ onNonFinite: 'error' });
      const infinite = tf.tensor1d([1, Number.NaN]);
      expectError(() => optimizer.applyGradients({ v: infinite }), {
        code: 'ERR_NON_FINITE',
        message: /'v'/,
      });
      expect(valuesOf(v)).toEqual([1, 2]);
      optimizer.applyGradients({ v: tf.ones([2]) });
      expect(optimizer.iterations).toBe(1);
    });
  });
});

describe('arguments', () => {
  it('refuses what is no TensorFlow.js', () => {
    for (const wrong of [null, undefined, {}, tf.train, { engine() {} }]) {
      expectError(() => bindTfjs(wrong as never), {
        code: 'ERR_INVALID_ARGUMENT',
        message: /Expected TensorFlow.js/,
      });
    }
  });

  it('refuses options and groups as gradstep does', () => {
    const v = noisy([2], 'v');
    const cases: [() => unknown, string, RegExp][] = [
      [() => optim.sgd({ lr: -1 }), 'ERR_INVALID_OPTION', /learning rate: -1/],
      [() => optim.sgd({ leanring: 1 } as never), 'ERR_UNKNOWN_OPTION', /leanring/],
      [() => optim.sgd(3 as never), 'ERR_INVALID_PARAMETER', /received 3/],
      [() => optim.sgd([3] as never), 'ERR_INVALID_PARAMETER', /received 3/],
      [() => optim.sgd([v], [] as never), 'ERR_INVALID_OPTION', /options to be an object/],
      [() => optim.sgd([{ params: 3 } as never]), 'ERR_INVALID_PARAMETER', /3 \(group 0\)/],
      [() => optim.sgd([{ params: v }, v as never]), 'ERR_INVALID_GROUP', /\(group 1\)/],
      [() => optim.sgd([{ params: '**x' }]), 'ERR_INVALID_ARGUMENT', /Bad pattern/],
      [
        () => optim.sgd([{ params: v }, { params: [v] }]),
        'ERR_DUPLICATE_PARAMETER',
        /'v' is in group 0 and group 1/,
      ],
      [() => optim.sgd([{ params: v, lr: Number.NaN }]), 'ERR_INVALID_OPTION', /group 0/],
    ];
    for (const [make, code, message] of cases) expectError(make, { code, message });
    expect(optim.sgd([v])).toBeInstanceOf(SGD);
  });
});
