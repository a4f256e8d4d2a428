/** The layers of examples/lenet: results against plain sums, gradients against differences. */

import { Parameter } from 'gradstep';
import { describe, expect, it } from 'vitest';
import { crossEntropy } from '../../examples/lenet/cross-entropy.ts';
import { Conv2d, Linear, MaxPool2d, ReLU } from '../../examples/lenet/layers.ts';
import { LeNet } from '../../examples/lenet/lenet.ts';
import { type Layer, Sequential } from '../../examples/lenet/module.ts';
import { seeded, shuffled } from '../../examples/lenet/random.ts';
import { sizeOf, type Tensor } from '../../examples/lenet/tensor.ts';

/** Values from -1 to 1, none near 0 and no two near one another: relu and pooling bend there. */
function randomTensor(shape: readonly number[], seed = 1): Tensor {
  const length = sizeOf(shape);
  const places = shuffled(length, seeded(seed));
  return { data: Float32Array.from(places, (i) => (2 * (i + 0.5)) / length - 1), shape };
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Central differences of `loss` by each value of `array`. */
function differences(array: Float32Array, loss: () => number, eps: number): number[] {
  return Array.from(array, (value, i) => {
    const at = (moved: number) => {
      array[i] = moved;
      return loss();
    };
    const slope = (at(value + eps) - at(value - eps)) / (2 * eps);
    array[i] = value;
    return slope;
  });
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  expect(actual.length).toBe(expected.length);
  const errors = Array.from(actual, (value, i) => Math.abs(value - expected[i]!));
  expect(errors.filter((error) => !(error < tolerance))).toEqual([]);
}

const random = seeded(7);
// Sizes that the blocks of patches.ts do not divide, and single values.
const layers: [string, Layer, number[], number[]][] = [
  ['Conv2d', new Conv2d(2, 3, 3, random), [2, 2, 5, 7], [2, 3, 3, 5]],
  ['Conv2d over the whole picture', new Conv2d(1, 1, 3, random), [1, 1, 3, 3], [1, 1, 1, 1]],
  ['Linear', new Linear(5, 3, random), [3, 5], [3, 3]],
  ['Linear of one value', new Linear(1, 1, random), [1, 1], [1, 1]],
  ['ReLU', new ReLU(), [2, 9], [2, 9]],
  ['MaxPool2d', new MaxPool2d(2), [2, 3, 4, 6], [2, 3, 2, 3]],
  ['MaxPool2d that leaves a rest', new MaxPool2d(2), [1, 2, 5, 3], [1, 2, 2, 1]],
];

describe.each(layers)('%s', (_, layer, inputShape, outputShape) => {
  const input = randomTensor(inputShape);
  const probe = randomTensor(outputShape, 2);
  const loss = () => dot(layer.forward(input).data, probe.data);

  it('gives the expected shape', () => {
    const output = layer.forward(input);
    expect(output.shape).toEqual(outputShape);
    expect(output.data.length).toBe(sizeOf(outputShape));
  });

  it('has the gradient of its input', () => {
    const expected = differences(input.data, loss, 2 ** -7);
    layer.forward(input);
    const gradient = layer.backward(probe);
    expect(gradient.shape).toEqual(inputShape);
    expectClose(gradient.data, expected, 1e-4);
  });

  it('has the gradients of its parameters, and adds them to those that are there', () => {
    for (const parameter of layer.parameters()) {
      parameter.grad = null;
      const expected = differences(parameter.data, loss, 2 ** -7);
      loss();
      layer.accumulate(probe);
      expectClose(parameter.grad!, expected, 1e-4);
      layer.accumulate(probe);
      expectClose(
        parameter.grad!,
        expected.map((slope) => 2 * slope),
        2e-4,
      );
    }
  });
});

describe('Conv2d', () => {
  it('sums the products of kernel and picture', () => {
    const layer = new Conv2d(2, 3, 3, seeded(3));
    const { data } = randomTensor([1, 2, 5, 7]);
    const output = layer.forward({ data, shape: [1, 2, 5, 7] });
    const expected = Array.from(output.data, (_, i) => {
      const [c, y, x] = [Math.floor(i / 15), Math.floor(i / 5) % 3, i % 5];
      let sum = layer.bias.data[c]!;
      for (let k = 0; k < 18; k++) {
        const [channel, dy, dx] = [Math.floor(k / 9), Math.floor(k / 3) % 3, k % 3];
        const pixel = data[(channel * 5 + y + dy) * 7 + x + dx]!;
        sum += layer.weight.data[c * 18 + k]! * pixel;
      }
      return sum;
    });
    expectClose(output.data, expected, 1e-6);
  });

  it('starts within ±1/√fanIn, as in torch', () => {
    const { weight, bias } = new Conv2d(6, 16, 5, seeded(1));
    const bound = 1 / Math.sqrt(6 * 25);
    const largest = Math.max(...weight.data.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    expect(largest).toBeGreaterThan(0.99 * bound);
    expect(Math.max(...bias.data.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
  });
});

describe('ReLU and MaxPool2d', () => {
  it('let a NaN through, so that a broken loss is seen', () => {
    const nan = { data: Float32Array.of(NaN, 1, 2, 3), shape: [1, 1, 2, 2] };
    expect(new ReLU().forward(nan).data[0]).toBeNaN();
    expect(new MaxPool2d(2).forward(nan).data[0]).toBeNaN();
  });
});

describe('crossEntropy', () => {
  const scores = randomTensor([3, 4]);
  const labels = Uint8Array.of(0, 3, 2);

  it('is the mean of -log softmax', () => {
    const even = { data: new Float32Array(20), shape: [2, 10] };
    expect(crossEntropy(even, Uint8Array.of(4, 9)).value).toBeCloseTo(Math.log(10), 12);
  });

  it('has the gradient of the scores', () => {
    const expected = differences(scores.data, () => crossEntropy(scores, labels).value, 2 ** -7);
    expectClose(crossEntropy(scores, labels).gradient.data, expected, 1e-5);
  });

  it('holds for scores that an exponential cannot', () => {
    const large = { data: Float32Array.of(2000, -2000), shape: [1, 2] };
    expect(crossEntropy(large, Uint8Array.of(0)).value).toBe(0);
    expect(crossEntropy(large, Uint8Array.of(1)).value).toBe(4000);
  });
});

describe('Sequential', () => {
  it('names the parameters by place', () => {
    const part = new Sequential(new Linear(2, 3, random), new ReLU(), new Linear(3, 1, random));
    const names = part.namedParameters().map(([name]) => name);
    expect(names).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
    expect(part.parameters().every((parameter) => parameter instanceof Parameter)).toBe(true);
  });
});

describe('LeNet', () => {
  const images = randomTensor([4, 3, 32, 32]);
  const labels = Uint8Array.of(3, 1, 4, 9);

  it('has 62,006 parameters in 10 tensors', () => {
    const net = new LeNet(seeded(1));
    expect(net.parameters().length).toBe(10);
    expect(net.size).toBe(62_006);
    expect(net.features.size).toBe(2_872);
    expect(net.classifier.size).toBe(59_134);
    expect(net.namedParameters().map(([name]) => name)).toEqual(
      ['features.0', 'features.3', 'classifier.0', 'classifier.2', 'classifier.4'].flatMap(
        (layer) => [`${layer}.weight`, `${layer}.bias`],
      ),
    );
    expect(net.classifier.layers[0]!.parameters()[0]!.shape).toEqual([120, 400]);
  });

  it('gives a score for each of 10 classes, and the highest is the answer', () => {
    const net = new LeNet(seeded(1));
    const { data, shape } = net.forward(images);
    expect(shape).toEqual([4, 10]);
    const row = data.subarray(10, 20);
    expect(net.classify(images)[1]).toBe(row.indexOf(Math.max(...row)));
  });

  it('has the gradients of all parameters', () => {
    const net = new LeNet(seeded(1));
    net.lossAndGradients(images, labels);
    const loss = () => crossEntropy(net.forward(images), labels).value;
    for (const [name, { data, grad }] of net.namedParameters()) {
      // The slope along the gradient is its length; moving all values drowns float32's rounding.
      const gradient = grad!;
      const length = Math.sqrt(dot(gradient, gradient));
      const start = data.slice();
      const at = (distance: number) => {
        data.set(start.map((value, i) => value + (distance * gradient[i]!) / length));
        return loss();
      };
      const slope = (at(2e-4) - at(-2e-4)) / 4e-4;
      data.set(start);
      expect(Math.abs(slope / length - 1), name).toBeLessThan(2e-3);
    }
  });

  it('adds up the gradients of two batches', () => {
    const net = new LeNet(seeded(1));
    net.lossAndGradients(images, labels);
    const once = net.parameters().map(({ grad }) => grad!.slice());
    net.lossAndGradients(images, labels);
    net.parameters().forEach(({ grad }, i) => {
      expectClose(
        grad!,
        once[i]!.map((slope) => 2 * slope),
        1e-6,
      );
    });
  });

  it('copies values, not arrays', () => {
    const net = new LeNet(seeded(1));
    const copy = net.copy();
    expect(copy.forward(images).data).toEqual(net.forward(images).data);
    copy.parameters()[0]!.data.fill(0);
    expect(net.parameters()[0]!.data.some((value) => value !== 0)).toBe(true);
  });
});
