/** Sums of rows by segment: the gradient of `gather`, and so of an embedding. */

/** Arrays of numbers as tensors have them. */
type Numbers = Float32Array<ArrayBufferLike> | Int32Array<ArrayBufferLike>;

/**
 * `out[ids[i]] += x[i]`, row by row. Rows whose segment does not exist are left out, as in
 * TensorFlow.js.
 *
 * @param out Zeros, segments × row size.
 */
export function segmentSum(x: Numbers, ids: ArrayLike<number>, out: Numbers): void {
  const { length } = ids;
  if (length === 0) return;
  const row = x.length / length;
  const segments = row === 0 ? 0 : out.length / row;
  for (let i = 0; i < length; i++) {
    const id = ids[i]!;
    if (!(id >= 0 && id < segments)) continue;
    for (let j = 0, from = i * row, to = id * row; j < row; j++, from++, to++) {
      out[to] = out[to]! + x[from]!;
    }
  }
}
