/** Models saved with their optimizers, and loaded: the run goes on with the same bits. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bindTfjs, enableFileUrls, modelFolder } from 'gradstep/tfjs';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { expectError } from './gradstep.ts';
import {
  artifactsOf,
  fitModel,
  makeData,
  makeMlp,
  noisy,
  onEachTfBackend,
  reload,
  tf,
  valuesOf,
  weightsOf,
} from './tf.ts';

const optim = bindTfjs(tf);
type Bound = ReturnType<typeof optim.adam>;

beforeEach(() => {
  tf.disposeVariables();
});

function compiled(optimizer: (model: tf.Sequential) => tf.Optimizer): tf.Sequential {
  const model = makeMlp();
  model.compile({ optimizer: optimizer(model), loss: 'categoricalCrossentropy' });
  return model;
}

/** Trains on, the model itself and as it was saved; both must be the same. */
async function expectSameRun(model: tf.LayersModel, change = (_: tf.LayersModel) => {}) {
  const data = makeData();
  await fitModel(model, data, 2);
  const loaded = await reload(model);
  expect(loaded.weights[0]!.name).not.toBe(model.weights[0]!.name); // it has another name beside it
  for (const each of [model, loaded]) {
    change(each);
    await fitModel(each, data, 3);
  }
  expect(weightsOf(loaded)).toEqual(weightsOf(model));
  return loaded;
}

onEachTfBackend(() => {
  describe('a run that is resumed', () => {
    it('has the bits of one that was not, for each optimizer', async () => {
      const { muon: _, ...others } = optim; // takes no biases
      for (const [name, make] of Object.entries(others) as [string, typeof optim.adam][]) {
        const loaded = await expectSameRun(compiled(() => make({ lr: 0.01 })));
        expect((loaded.optimizer as Bound).iterations, name).toBe(2 * 2 + 3 * 2);
        tf.disposeVariables();
      }
    });

    it('has its options as they were when it was saved', async () => {
      const options = { betas: [0.8, 0.95], amsgrad: true, maxGradNorm: 0.5 } as const;
      const model = compiled(() => optim.adamw({ lr: 0.01, ...options }));
      (model.optimizer as Bound).paramGroups[0]!.lr = 0.02;
      const loaded = await expectSameRun(model);
      const optimizer = loaded.optimizer as Bound;
      expect(optimizer.paramGroups[0]).toMatchObject({
        lr: 0.02,
        betas: [0.8, 0.95],
        amsgrad: true,
      });
      expect(optimizer.defaults.lr).toBe(0.01);
      expect(optimizer.stepOptions).toMatchObject({ maxGradNorm: 0.5, clipValue: Infinity });
    });

    it('has its groups, by layers and by patterns', async () => {
      const loaded = await expectSameRun(
        compiled((model) =>
          optim.sgd(
            [
              { params: '**/bias', lr: 0.05, name: 'biases' },
              { params: model.layers[0]!, lr: 0, meta: { note: 'a_b' } },
              { params: model.layers.slice(1), frozen: false },
            ],
            { lr: 0.1, momentum: 0.9 },
          ),
        ),
      );
      const { paramGroups } = loaded.optimizer as ReturnType<typeof optim.sgd>;
      expect(paramGroups.map(({ lr }) => lr)).toEqual([0.05, 0, 0.1]);
      expect(paramGroups[0]!.name).toBe('biases');
      expect(paramGroups[1]!.meta).toEqual({ note: 'a_b' });
    });

    it('has only part of its variables at first', async () => {
      await expectSameRun(
        compiled(() => optim.adam({ lr: 0.05 })),
        (model) => {
          model.layers[0]!.trainable = !model.layers[0]!.trainable;
        },
      );
    });

    it('leaves no tensor behind', async () => {
      const model = compiled(() => optim.adam());
      await fitModel(model, makeData(), 1);
      const own = tf.train.adam();
      const count = async () => {
        const before = tf.memory().numTensors;
        await artifactsOf(model);
        return tf.memory().numTensors - before;
      };
      await count();
      expect(await count()).toBe(0);
      own.dispose();
    });
  });
});

describe('getWeights and setWeights', () => {
  it('carry the state of optimizers without models', async () => {
    const run = async (pause: boolean) => {
      const v = noisy([5], 'v');
      let optimizer = optim.nadam({ lr: 0.1 });
      for (let i = 0; i < 6; i++) {
        if (i === 3 && pause) {
          const weights = await optimizer.getWeights();
          expect(weights[0]!.name).toBe('iter');
          const next = optim.nadam({ lr: 0.1 });
          await next.setWeights(weights);
          optimizer = next;
        }
        optimizer.minimize(() => v.square().sum() as tf.Scalar);
      }
      const values = valuesOf(v);
      v.dispose();
      return [values, optimizer.iterations];
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('refuse what is of another optimizer', async () => {
    const optimizer = optim.adam();
    await expect(optimizer.setWeights([])).rejects.toMatchObject({ code: 'ERR_STATE_DICT' });
    const v = noisy([5], 'v');
    optimizer.minimize(() => v.square().sum() as tf.Scalar);
    const weights = await optimizer.getWeights();
    v.dispose();
    const other = noisy([4], 'v');
    const next = optim.adam();
    await next.setWeights(weights);
    const before = valuesOf(other);
    expectError(() => next.minimize(() => other.square().sum() as tf.Scalar), {
      code: 'ERR_STATE_DICT',
      message: /'v'/,
    });
    expect(valuesOf(other)).toEqual(before);
  });

  it('refuse configs that are not theirs', () => {
    const { constructor: Class } = optim.adam() as unknown as {
      constructor: { fromConfig(cls: unknown, config: unknown): unknown };
    };
    for (const config of [null, {}, { name: 'x' }, { name: '{}' }, { learningRate: 1 }]) {
      expectError(() => Class.fromConfig(Class, config), {
        code: 'ERR_STATE_DICT',
        message: /config of a gradstep optimizer/,
      });
    }
  });
});

describe('a folder', () => {
  const makeTemporary = () => {
    const path = mkdtempSync(join(tmpdir(), 'gradstep-tfjs-'));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  };

  it('keeps a model with its optimizer', async () => {
    await tf.setBackend('cpu');
    const path = join(makeTemporary(), 'a', 'model');
    const model = compiled(() => optim.adam({ lr: 0.05 }));
    const data = makeData();
    await fitModel(model, data, 1);
    const saved = await model.save(modelFolder(path), { includeOptimizer: true });
    expect(saved.modelArtifactsInfo.weightDataBytes).toBeGreaterThan(0);
    const loaded = await tf.loadLayersModel(modelFolder(path));
    for (const each of [model, loaded]) await fitModel(each, data, 2);
    expect(weightsOf(loaded)).toEqual(weightsOf(model));
    await loaded.save(modelFolder(path), { includeOptimizer: true });
    expect(readdirSync(path)).toHaveLength(2); // the weights of before are gone
  });

  it('is what file:// means, as with tfjs-node', async () => {
    const path = makeTemporary();
    enableFileUrls(tf);
    enableFileUrls(tf);
    const model = makeMlp();
    await model.save(`file://${path}`);
    const loaded = await tf.loadLayersModel(`file://${path}/model.json`);
    expect(weightsOf(loaded)).toEqual(weightsOf(model));
    expect(weightsOf(await tf.loadLayersModel(`file://${path}`))).toEqual(weightsOf(model));
  });

  it('reads what others have split', async () => {
    const path = makeTemporary();
    const model = makeMlp();
    await model.save(modelFolder(path));
    const file = join(path, 'model.json');
    const json = JSON.parse(readFileSync(file, 'utf8'));
    const [name] = json.weightsManifest[0].paths;
    const bytes = readFileSync(join(path, name));
    const paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
    writeFileSync(join(path, paths[0]!), bytes.subarray(0, 10));
    writeFileSync(join(path, paths[1]!), bytes.subarray(10));
    json.weightsManifest[0].paths = paths;
    writeFileSync(file, JSON.stringify(json));
    rmSync(join(path, name));
    expect(weightsOf(await tf.loadLayersModel(modelFolder(path)))).toEqual(weightsOf(model));
  });

  it('says what is wrong with files', async () => {
    const path = makeTemporary();
    expectError(() => modelFolder(3 as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /received 3/,
    });
    await expect(tf.loadLayersModel(modelFolder(path))).rejects.toMatchObject({
      code: 'ERR_FILE',
      message: expect.stringContaining('no such file'),
    });
    writeFileSync(join(path, 'model.json'), '{');
    await expect(tf.loadLayersModel(modelFolder(path))).rejects.toMatchObject({ code: 'ERR_FILE' });
    writeFileSync(join(path, 'file'), '');
    await expect(makeMlp().save(modelFolder(join(path, 'file')))).rejects.toMatchObject({
      code: 'ERR_FILE',
    });
  });
});
