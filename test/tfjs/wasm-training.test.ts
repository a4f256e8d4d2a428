/** The gradient kernels that wasm lacks, against those of the cpu backend. */

import { enableWasmTraining } from 'gradstep/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import { segmentSum } from '../../lib/tfjs/kernels/segment-sum.ts';
import { expectError } from './gradstep.ts';
import { noise, tf, valuesOf } from './tf.ts';

enableWasmTraining(tf);
enableWasmTraining(tf); // twice is once

type Run = () => tf.Tensor;

/** The same on both backends, with inputs made anew. */
async function onBoth(run: Run): Promise<[number[], number[]]> {
  const values: number[][] = [];
  for (const backend of ['wasm', 'cpu']) {
    await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    values.push(tf.tidy(() => valuesOf(run())));
    expect(tf.memory().numTensors).toBe(before);
  }
  return values as [number[], number[]];
}

function expectClose(ours: number[], theirs: number[], what: string): void {
  const scale = Math.max(...theirs.map(Math.abs), 1e-30);
  expect(ours.length).toBe(theirs.length);
  expect(Math.max(...ours.map((x, i) => Math.abs(x - theirs[i]!))) / scale, what).toBeLessThan(
    1e-6,
  );
}

const image = (shape: number[], seed = 1) =>
  tf.tensor(noise(tf.util.sizeFromShape(shape), seed), shape);

const STRIDES: (number | [number, number])[] = [1, 2, [1, 2]];
const PADS: (number | 'same' | 'valid' | [number, number][])[] = [
  'valid',
  'same',
  1,
  [
    [0, 0],
    [1, 2],
    [0, 1],
    [0, 0],
  ],
];

afterAll(() => tf.setBackend('cpu').then(() => {}));

describe('Conv2DBackpropFilter', () => {
  const call = ({ strides, pad, kernel, format = 'NHWC' }: Record<string, unknown>): Run => {
    return () => {
      const filterShape = [kernel as number, kernel as number, 3, 4] as [
        number,
        number,
        number,
        number,
      ];
      const shape = format === 'NHWC' ? [2, 9, 8, 3] : [2, 3, 9, 8];
      const info = tf.backend_util.computeConv2DInfo(
        shape as never,
        filterShape,
        strides as never,
        1,
        pad as never,
        undefined,
        false,
        tf.backend_util.convertConv2DDataFormat(format as never),
      );
      const x = image(shape);
      return tf.engine().runKernel('Conv2DBackpropFilter', { x, dy: image(info.outShape, 2) }, {
        strides,
        pad,
        dataFormat: format,
        filterShape,
        dimRoundingMode: null,
      } as never);
    };
  };

  for (const strides of STRIDES) {
    for (const pad of PADS) {
      for (const kernel of [1, 3, 5]) {
        // TensorFlow.js computes the output's shape wrongly for a number as padding then.
        if (pad === 1 && Array.isArray(strides)) continue;
        const what = `strides ${strides}, padding ${pad}, kernel ${kernel}`;
        it(`is that of cpu for ${what}`, async () => {
          for (const format of ['NHWC', 'NCHW']) {
            const explicit = Array.isArray(pad) && format === 'NCHW';
            const padding = explicit ? [pad[0], pad[3], pad[1], pad[2]] : pad;
            const run = call({ strides, pad: padding, kernel, format });
            expectClose(...(await onBoth(run)), `${what}, ${format}`);
          }
        });
      }
    }
  }

  it('loses no NaN', async () => {
    const [ours, theirs] = await onBoth(() => {
      const dy = tf.tensor4d([Number.NaN, 1, 1, 1], [1, 2, 2, 1]);
      return tf.engine().runKernel('Conv2DBackpropFilter', { x: tf.zeros([1, 2, 2, 1]), dy }, {
        strides: 1,
        pad: 'valid',
        dataFormat: 'NHWC',
        filterShape: [1, 1, 1, 1],
        dimRoundingMode: null,
      } as never);
    });
    expect(ours).toEqual(theirs);
    expect(ours).toEqual([Number.NaN]);
  });
});

describe('depthwise gradients', () => {
  const cases = STRIDES.flatMap((strides) => PADS.slice(0, 3).map((pad) => ({ strides, pad })));
  for (const { strides, pad } of cases) {
    if (pad === 1 && Array.isArray(strides)) continue;
    for (const multiplier of [1, 2, 3]) {
      it(`are those of cpu for strides ${strides}, padding ${pad}, multiplier ${multiplier}`, async () => {
        const filterShape = [3, 3, 4, multiplier] as [number, number, number, number];
        const inputShape = [2, 8, 7, 4] as [number, number, number, number];
        const attrs = {
          strides,
          pad,
          dilations: 1,
          dimRoundingMode: null,
          filterShape,
          inputShape,
        };
        const info = tf.backend_util.computeConv2DInfo(
          inputShape,
          filterShape,
          strides as never,
          1,
          pad as never,
          undefined,
          true,
        );
        const filter = await onBoth(() =>
          tf
            .engine()
            .runKernel(
              'DepthwiseConv2dNativeBackpropFilter',
              { x: image(inputShape), dy: image(info.outShape, 2) },
              { ...attrs, inputShape: undefined } as never,
            ),
        );
        expectClose(...filter, 'filter');
        const input = await onBoth(() =>
          tf
            .engine()
            .runKernel(
              'DepthwiseConv2dNativeBackpropInput',
              { dy: image(info.outShape, 2), filter: image(filterShape, 3) },
              { ...attrs, filterShape: undefined } as never,
            ),
        );
        expectClose(...input, 'input');
      });
    }
  }

  it('know dilations, which cpu does not', async () => {
    // Against the forward pass: the gradient of a sum that is linear in the filter.
    await tf.setBackend('wasm');
    tf.tidy(() => {
      const [x, dy] = [image([1, 7, 7, 2]), image([1, 3, 3, 2], 2)];
      const gradient = tf.engine().runKernel('DepthwiseConv2dNativeBackpropFilter', { x, dy }, {
        strides: 1,
        pad: 'valid',
        dilations: 2,
        dimRoundingMode: null,
        filterShape: [3, 3, 2, 1],
      } as never) as tf.Tensor;
      const filter = image([3, 3, 2, 1], 3) as tf.Tensor4D;
      const output = tf.depthwiseConv2d(x as tf.Tensor4D, filter, 1, 'valid', 'NHWC', 2);
      const [left, right] = [output.mul(dy).sum(), filter.mul(gradient).sum()];
      expect(left.dataSync()[0]).toBeCloseTo(right.dataSync()[0]!, 4);
    });
  });
});

describe('UnsortedSegmentSum', () => {
  it('adds rows up on both backends, whatever their shape', async () => {
    const cases: [number[], number[], number][] = [
      [[5, 3], [0, 2, 0, 1, 2], 4],
      [[4], [1, 1, 0, 3], 4],
      [[3, 2, 2], [2, 0, 2], 3],
      [[3, 2], [-1, 7, 0], 2],
      [[2, 0], [0, 1], 3],
      [[0, 2], [], 2],
    ];
    for (const [shape, ids, segments] of cases) {
      const x = noise(tf.util.sizeFromShape(shape));
      const expected = new Float32Array((segments * x.length) / (ids.length || 1));
      segmentSum(x, ids, expected);
      const [wasm, cpu] = await onBoth(() =>
        tf.unsortedSegmentSum(tf.tensor(x.slice(), shape), tf.tensor1d(ids, 'int32'), segments),
      );
      if (ids.length > 0) expect(wasm).toEqual(Array.from(expected));
      expect(cpu).toEqual(wasm);
    }
  });

  it('is what the cpu backend gave before', async () => {
    const byHand = tf.tidy(() => {
      const x = image([6, 3]);
      const ids = tf.tensor1d([2, 0, 2, 1, 0, 2], 'int32');
      const hot = tf.oneHot(ids, 3).toFloat() as tf.Tensor2D;
      return valuesOf(tf.matMul(hot, x as tf.Tensor2D, true));
    });
    const [wasm] = await onBoth(() =>
      tf.unsortedSegmentSum(image([6, 3]), tf.tensor1d([2, 0, 2, 1, 0, 2], 'int32'), 3),
    );
    expectClose(wasm, byHand, 'by hand');
  });

  it('keeps whole numbers whole', async () => {
    const [wasm, cpu] = await onBoth(() => {
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32');
      const sum = tf.unsortedSegmentSum(x, tf.tensor1d([1, 1], 'int32'), 2);
      expect(sum.dtype).toBe('int32');
      return sum;
    });
    expect([wasm, cpu]).toEqual([
      [0, 0, 4, 6],
      [0, 0, 4, 6],
    ]);
  });
});

describe('layers', () => {
  const { layers } = tf;
  const cases: [string, () => tf.layers.Layer, number[]][] = [
    ['conv1d', () => layers.conv1d({ inputShape: [8, 2], filters: 3, kernelSize: 3 }), [8, 2]],
    [
      'conv2d',
      () => layers.conv2d({ inputShape: [6, 6, 2], filters: 3, kernelSize: 3 }),
      [6, 6, 2],
    ],
    [
      'conv2dTranspose',
      () =>
        layers.conv2dTranspose({ inputShape: [4, 4, 2], filters: 2, kernelSize: 3, strides: 2 }),
      [4, 4, 2],
    ],
    [
      'separableConv2d',
      () => layers.separableConv2d({ inputShape: [6, 6, 2], filters: 3, kernelSize: 3 }),
      [6, 6, 2],
    ],
    [
      'depthwiseConv2d',
      () => layers.depthwiseConv2d({ inputShape: [6, 6, 2], kernelSize: 3, depthMultiplier: 2 }),
      [6, 6, 2],
    ],
    ['embedding', () => layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 4 }), [4]],
  ];
  for (const [name, make, shape] of cases) {
    it(`${name} has the gradients of cpu`, async () => {
      const gradients = async (backend: string) => {
        await tf.setBackend(backend);
        const model = tf.sequential({ layers: [make()] });
        const input = tf.tidy(() =>
          name === 'embedding'
            ? tf.tensor2d([0, 3, 3, 4, 1, 0, 2, 3], [2, 4])
            : image([2, ...shape]),
        );
        for (const [i, weight] of model.weights.entries()) {
          tf.tidy(() => {
            weight.write(image(weight.shape as number[], i + 2));
          });
        }
        const { grads } = tf.variableGrads(
          () => {
            return (model.apply(input) as tf.Tensor).square().sum() as tf.Scalar;
          },
          model.trainableWeights.map((weight) => weight.read() as tf.Variable),
        );
        const values = Object.values(grads).flatMap(valuesOf);
        model.dispose();
        return values;
      };
      const [ours, theirs] = [await gradients('wasm'), await gradients('cpu')];
      const scale = Math.max(...theirs.map(Math.abs));
      const most = Math.max(...ours.map((x, i) => Math.abs(x - theirs[i]!)));
      expect(most / scale).toBeLessThan(1e-5);
    });
  }
});

it('refuses what has no kernels', () => {
  expectError(() => enableWasmTraining({} as never), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /registry of kernels/,
  });
});
