/** What is stepped: how many parameters of which lengths. */

export interface Workload {
  /** As in tables and in targets: `1e6`, `LeNet`. */
  readonly name: string;
  readonly lengths: readonly number[];
}

export function valuesOf({ lengths }: Workload): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** One parameter of so many values. */
export function flat(values: number): Workload {
  return { name: values.toExponential().replace('+', ''), lengths: [values] };
}

/** `count` parameters of `length` values each. */
export function many(count: number, length: number): Workload {
  const name = `${count.toLocaleString('en-US')} × ${length.toLocaleString('en-US')}`;
  return { name, lengths: new Array<number>(count).fill(length) };
}

/** Weights and biases of LeNet-5 for 28 × 28 images: 61,706 values. */
export const lenet: Workload = {
  name: 'LeNet',
  lengths: [6 * 25, 6, 16 * 6 * 25, 16, 120 * 400, 120, 84 * 120, 84, 10 * 84, 10],
};

/** The 161 tensors of ResNet-50: 25,557,032 values. */
export const resnet50: Workload = { name: 'ResNet-50', lengths: resnet50Lengths() };

function resnet50Lengths(): number[] {
  const lengths: number[] = [];
  // A convolution without a bias, and the weight and bias of the batch norm after it.
  const convolution = (from: number, to: number, size: number) =>
    lengths.push(from * to * size * size, to, to);
  convolution(3, 64, 7);
  let channels = 64;
  [3, 4, 6, 3].forEach((blocks, stage) => {
    const width = 64 << stage;
    for (let block = 0; block < blocks; block++) {
      convolution(channels, width, 1);
      convolution(width, width, 3);
      convolution(width, 4 * width, 1);
      if (block === 0) convolution(channels, 4 * width, 1);
      channels = 4 * width;
    }
  });
  lengths.push(1000 * channels, 1000);
  return lengths;
}
