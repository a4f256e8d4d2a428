/** The four layers of LeNet, named and initialized as in torch. */

import { Parameter } from 'gradstep';
import { Layer } from './module.ts';
import {
  addInputGradient,
  addWeightGradients,
  type Patches,
  project,
  type Weights,
} from './patches.ts';
import type { Random } from './random.ts';
import { sample, sizeOf, type Tensor, zeros } from './tensor.ts';

/** A layer with a weight and a bias, both uniform in ±1/√fanIn at first. */
abstract class WeightedLayer extends Layer {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(shape: readonly [number, ...number[]], random: Random) {
    super();
    const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
    const initial = (length: number) =>
      new Float32Array(length).map(() => bound * (2 * random() - 1));
    this.weight = new Parameter(initial(sizeOf(shape)), { shape });
    this.bias = new Parameter(initial(shape[0]));
  }

  override namedParameters(): [string, Parameter][] {
    return [
      ['weight', this.weight],
      ['bias', this.bias],
    ];
  }

  protected get weights(): Weights {
    return { weight: this.weight.data, bias: this.bias.data };
  }

  protected get gradients(): Weights {
    return { weight: this.weight.ensureGrad(), bias: this.bias.ensureGrad() };
  }
}

/** y = x Wᵀ + b. Its patches are the samples. */
export class Linear extends WeightedLayer {
  #input: Tensor = zeros([0]);

  constructor(inputs: number, outputs: number, random: Random) {
    super([outputs, inputs], random);
  }

  forward(input: Tensor): Tensor {
    this.#input = input;
    const output = zeros([input.shape[0]!, this.bias.length]);
    project(output.data, input.data, this.weights, this.#patches());
    return output;
  }

  backward(gradient: Tensor): Tensor {
    const result = zeros(this.#input.shape);
    addInputGradient(result.data, gradient.data, this.weights, this.#patches());
    return result;
  }

  override accumulate(gradient: Tensor): void {
    addWeightGradients(this.gradients, gradient.data, this.#input.data, this.#patches());
  }

  #patches(): Patches {
    const [samples, inputs] = this.#input.shape as [number, number];
    return {
      origins: Int32Array.from({ length: samples }, (_, n) => n * inputs),
      offsets: Int32Array.from({ length: inputs }, (_, k) => k),
      channelStride: 1,
      patchStride: this.bias.length,
    };
  }
}

/** Slides a kernel over the picture, without padding. Its patches are the places of the kernel. */
export class Conv2d extends WeightedLayer {
  readonly #kernel: number;
  #input: Tensor = zeros([0]);

  constructor(inputChannels: number, outputChannels: number, kernel: number, random: Random) {
    super([outputChannels, inputChannels, kernel, kernel], random);
    this.#kernel = kernel;
  }

  forward(input: Tensor): Tensor {
    this.#input = input;
    const [samples, , height, width] = input.shape as [number, number, number, number];
    const reach = this.#kernel - 1;
    const output = zeros([samples, this.bias.length, height - reach, width - reach]);
    const patches = this.#patches();
    for (let n = 0; n < samples; n++) {
      project(sample(output, n), sample(input, n), this.weights, patches);
    }
    return output;
  }

  backward(gradient: Tensor): Tensor {
    const result = zeros(this.#input.shape);
    const patches = this.#patches();
    for (let n = 0; n < gradient.shape[0]!; n++) {
      addInputGradient(sample(result, n), sample(gradient, n), this.weights, patches);
    }
    return result;
  }

  override accumulate(gradient: Tensor): void {
    const patches = this.#patches();
    for (let n = 0; n < gradient.shape[0]!; n++) {
      addWeightGradients(this.gradients, sample(gradient, n), sample(this.#input, n), patches);
    }
  }

  #patches(): Patches {
    const [, channels, height, width] = this.#input.shape as [number, number, number, number];
    const kernel = this.#kernel;
    const [rows, columns] = [height - kernel + 1, width - kernel + 1];
    return {
      origins: Int32Array.from(grid(1, rows, columns, 0, width)),
      offsets: Int32Array.from(grid(channels, kernel, kernel, height * width, width)),
      channelStride: rows * columns,
      patchStride: 1,
    };
  }
}

/** The places of a block of values within a larger one, in row-major order. */
function* grid(
  channels: number,
  rows: number,
  columns: number,
  channelStride: number,
  rowStride: number,
): Generator<number> {
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) yield c * channelStride + y * rowStride + x;
    }
  }
}

/** max(x, 0), where a NaN stays one. */
export class ReLU extends Layer {
  #input: Tensor = zeros([0]);

  forward(input: Tensor): Tensor {
    this.#input = input;
    const output = zeros(input.shape);
    for (let i = 0; i < output.data.length; i++) {
      output.data[i] = Math.max(input.data[i]!, 0);
    }
    return output;
  }

  backward(gradient: Tensor): Tensor {
    const result = zeros(gradient.shape);
    for (let i = 0; i < result.data.length; i++) {
      if (this.#input.data[i]! > 0) result.data[i] = gradient.data[i]!;
    }
    return result;
  }
}

/** The largest of each square of `size` times `size` values; what does not fill one is left out. */
export class MaxPool2d extends Layer {
  readonly #size: number;
  #inputShape: readonly number[] = [];
  /** Where in the input the largest values were. */
  #winners = new Int32Array(0);

  constructor(size: number) {
    super();
    this.#size = size;
  }

  forward({ data, shape }: Tensor): Tensor {
    const [samples, channels, height, width] = shape as [number, number, number, number];
    const rows = Math.floor(height / this.#size);
    const columns = Math.floor(width / this.#size);
    const output = zeros([samples, channels, rows, columns]);
    this.#inputShape = shape;
    this.#winners = new Int32Array(output.data.length);
    let i = 0;
    for (let plane = 0; plane < samples * channels; plane++) {
      for (let y = 0; y < rows; y++) {
        const row = (plane * height + y * this.#size) * width;
        for (let x = 0; x < columns; x++) {
          const winner = this.#largest(data, row + x * this.#size, width);
          this.#winners[i] = winner;
          output.data[i++] = data[winner]!;
        }
      }
    }
    return output;
  }

  backward(gradient: Tensor): Tensor {
    const result = zeros(this.#inputShape);
    for (let i = 0; i < gradient.data.length; i++) {
      result.data[this.#winners[i]!]! += gradient.data[i]!;
    }
    return result;
  }

  /** The place of the largest value of the square whose first value is at `corner`. */
  #largest(data: Float32Array, corner: number, width: number): number {
    let best = corner;
    for (let y = 0; y < this.#size; y++) {
      for (let x = 0; x < this.#size; x++) {
        const at = corner + y * width + x;
        if (data[at]! > data[best]!) best = at;
      }
    }
    return best;
  }
}
