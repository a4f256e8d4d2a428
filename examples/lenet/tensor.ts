/** What flows between the layers: a batch of samples, flat in row-major order. */

export interface Tensor {
  readonly data: Float32Array;
  /** The first size counts the samples. */
  readonly shape: readonly number[];
}

export function zeros(shape: readonly number[]): Tensor {
  return { data: new Float32Array(sizeOf(shape)), shape };
}

/** The number of values in a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The values of sample n. */
export function sample({ data, shape }: Tensor, n: number): Float32Array {
  const length = sizeOf(shape.slice(1));
  return data.subarray(n * length, (n + 1) * length);
}
