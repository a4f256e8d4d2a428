/** Groups by layers, by names and by variables; variables that come, freeze and go. */

import { CosineAnnealingLR } from 'gradstep';
import { bindTfjs } from 'gradstep/tfjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectError } from './gradstep.ts';
import {
  fitModel,
  makeData,
  makeMlp,
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

const names = (params: readonly { readonly name?: string | undefined }[]) =>
  params.map(({ name }) => name);

onEachTfBackend(() => {
  describe('groups', () => {
    it('are given by layers, and have their options', async () => {
      const model = makeMlp();
      const before = weightsOf(model);
      const optimizer = optim.sgd(
        [
          { params: model.layers.slice(0, 1), lr: 0, name: 'features' },
          { params: model.layers.slice(1) },
        ],
        { lr: 0.1, momentum: 0.9 },
      );
      const weights = model.layers.map((layer) => layer.trainableWeights.map(({ name }) => name));
      expect(optimizer.paramGroups.map(({ params }) => names(params))).toEqual(weights);
      model.compile({ optimizer, loss: 'categoricalCrossentropy' });
      await fitModel(model, makeData(), 1);
      const after = weightsOf(model);
      expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
      expect(after[2]).not.toEqual(before[2]);
    });

    it('are given by a model, by variables and by weights of layers', () => {
      const model = makeMlp();
      const [kernel, bias] = model.layers[0]!.trainableWeights;
      const v = noisy([2], 'v');
      const count = (optimizer: ReturnType<typeof optim.sgd>) =>
        optimizer.paramGroups[0]!.params.length;
      expect(count(optim.sgd(model))).toBe(4);
      expect(count(optim.sgd(model.layers[1]!))).toBe(2);
      expect(count(optim.sgd([v, kernel!, bias!]))).toBe(3);
      expect(count(optim.sgd([model, model.layers[0]!, kernel!]))).toBe(4);
    });

    it('are given by patterns of names; the first that fits has a variable', () => {
      const [kernel, bias, other] = [
        noisy([2], 'net/dense/kernel'),
        noisy([2], 'net/dense/bias'),
        noisy([2], 'head/kernel'),
      ];
      const optimizer = optim.sgd(
        [{ params: '**/bias' }, { params: 'net/*/*', lr: 1 }, { params: /^head/, lr: 2 }],
        { lr: 0 },
      );
      const before = [kernel, bias, other].map((v) => valuesOf(v!));
      const ones = tf.ones([2]);
      optimizer.applyGradients({ [kernel!.name]: ones, [bias!.name]: ones, [other!.name]: ones });
      const moved = [kernel, bias, other].map((v, i) => before[i]![0]! - valuesOf(v!)[0]!);
      expect(moved.map((x) => Math.round(x * 1e4) / 1e4)).toEqual([1, 0, 2]);
    });

    it('leave out variables that are in none', () => {
      const [a, b] = [noisy([2], 'a'), noisy([2], 'b')];
      const before = valuesOf(b);
      const optimizer = optim.sgd([a], { lr: 0.1 });
      optimizer.minimize(() => a.add(b).square().sum() as tf.Scalar);
      expect(valuesOf(b)).toEqual(before);
      expect(optimizer.parameterOf(b)).toBeUndefined();
    });

    it('tell of a pattern that fits nothing, before anything changes', () => {
      const v = noisy([2], 'dense/kernel');
      const before = valuesOf(v);
      const optimizer = optim.sgd([{ params: ['**/bais', '**'] }]);
      expectError(() => optimizer.minimize(() => v.sum() as tf.Scalar), {
        code: 'ERR_NO_MATCH',
        message: /'\*\*\/bais' matches no variable \(group 0\).*'dense\/kernel'/,
      });
      expect(valuesOf(v)).toEqual(before);
    });

    it('are live, also before the first gradient and for variables that come late', () => {
      const [a, b] = [noisy([2], 'a'), noisy([2], 'b')];
      const optimizer = optim.sgd({ lr: 1 });
      optimizer.paramGroups[0]!.lr = 0.5;
      const move = (v: tf.Variable) => {
        const before = valuesOf(v)[0]!;
        optimizer.minimize(() => v.sum() as tf.Scalar, false, [v]);
        return Math.round((before - valuesOf(v)[0]!) * 1e4) / 1e4;
      };
      expect(move(a)).toBe(0.5);
      optimizer.paramGroups[0]!.lr = 0.25;
      expect(move(b)).toBe(0.25);
      optimizer.paramGroups[0]!.lr = 0.125;
      expect([move(a), move(b)]).toEqual([0.125, 0.125]);
      expect(optimizer.paramGroups).toHaveLength(1);
    });

    it('follow schedulers that were made before the variables came', async () => {
      const model = makeMlp();
      const optimizer = optim.adamw({ lr: 1e-2 });
      const scheduler = new CosineAnnealingLR(optimizer, { TMax: 4 });
      model.compile({ optimizer, loss: 'categoricalCrossentropy' });
      for (let epoch = 0; epoch < 4; epoch++) {
        await fitModel(model, makeData(), 1);
        scheduler.step();
      }
      const before = weightsOf(model);
      expect(optimizer.paramGroups[0]!.lr).toBe(0);
      await fitModel(model, makeData(), 1);
      expect(weightsOf(model)).toEqual(before);
    });
  });

  describe('variables', () => {
    it('keep their state when the list of variables changes', () => {
      const alone = (() => {
        const v = noisy([5], 'alone', 3);
        const optimizer = optim.adam({ lr: 0.1 });
        for (let i = 0; i < 6; i++)
          optimizer.minimize(() => v.square().sum() as tf.Scalar, false, [v]);
        return valuesOf(v);
      })();
      const [a, b] = [noisy([3], 'a', 2), noisy([5], 'b', 3)];
      const optimizer = optim.adam({ lr: 0.1 });
      const loss = () => a.square().sum().add(b.square().sum()) as tf.Scalar;
      const lists = [[a, b], [b], [b, a], [b], [a, b], [b]];
      for (const list of lists) optimizer.minimize(loss, false, list);
      expect(valuesOf(b)).toEqual(alone);
    });

    it('freeze and come back, as in a GAN: two models, one class of optimizers', async () => {
      const generator = makeMlp();
      const discriminator = tf.sequential({
        layers: [tf.layers.dense({ inputShape: [3], units: 3, activation: 'sigmoid' })],
      });
      const gan = tf.sequential();
      gan.add(generator);
      gan.add(discriminator);
      discriminator.compile({ optimizer: optim.adam({ lr: 0.05 }), loss: 'meanSquaredError' });
      const trainer = optim.adam({ lr: 0.05 });
      const data = makeData(16);
      const small = { xs: tf.tensor2d(Array(48).fill(0.3), [16, 3]), ys: data.ys };
      for (let round = 0; round < 3; round++) {
        discriminator.trainable = true;
        await fitModel(discriminator, small, 1);
        discriminator.trainable = false;
        gan.compile({ optimizer: trainer, loss: 'meanSquaredError' });
        const [fixed, moved] = [weightsOf(discriminator), weightsOf(generator)];
        await fitModel(gan, data, 1);
        expect(weightsOf(discriminator)).toEqual(fixed);
        expect(weightsOf(generator)).not.toEqual(moved);
      }
      discriminator.trainable = true;
      gan.compile({ optimizer: trainer, loss: 'meanSquaredError' });
      const before = weightsOf(discriminator);
      await fitModel(gan, data, 1);
      expect(weightsOf(discriminator)).not.toEqual(before);
    });

    it('are shared by two uses of one layer', async () => {
      const shared = tf.layers.dense({ units: 6, activation: 'tanh' });
      const input = tf.input({ shape: [6] });
      const once = shared.apply(input) as tf.SymbolicTensor;
      const twice = shared.apply(once) as tf.SymbolicTensor;
      const head = tf.layers.dense({ units: 3, activation: 'softmax' });
      const model = tf.model({ inputs: input, outputs: head.apply(twice) as tf.SymbolicTensor });
      const optimizer = optim.adam([{ params: [shared, shared] }, { params: head }], { lr: 0.05 });
      model.compile({ optimizer, loss: 'categoricalCrossentropy' });
      const data = makeData();
      const first = await fitModel(model, data, 1);
      expect(await fitModel(model, data, 20)).toBeLessThan(first);
      expect(optimizer.paramGroups.map(({ params }) => params.length)).toEqual([2, 2]);
    });

    it('are let go when they are disposed of, with their state', () => {
      const optimizer = optim.adam({ lr: 0.1 });
      const keep = noisy([3], 'keep');
      for (let round = 0; round < 5; round++) {
        const v = noisy([4], `round${round}`);
        optimizer.minimize(() => v.square().sum().add(keep.square().sum()) as tf.Scalar);
        expect(optimizer.parameterOf(v)!.name).toBe(`round${round}`);
        v.dispose();
      }
      optimizer.minimize(() => keep.square().sum() as tf.Scalar);
      expect(names([...optimizer.state.keys()])).toEqual(['keep']);
    });

    it('come in the place of others of the same name', () => {
      const optimizer = optim.sgd({ lr: 1, momentum: 0.5 });
      const first = tf.variable(tf.zeros([2]), true, 'v');
      optimizer.applyGradients({ v: tf.ones([2]) });
      first.dispose();
      const second = tf.variable(tf.zeros([2]), true, 'v');
      optimizer.applyGradients({ v: tf.ones([2]) });
      expect(valuesOf(second)).toEqual([-1, -1]); // without the momentum of the first
    });
  });
});
