/**
 * A convolution and a linear layer do the same: a result is a row of weights times a patch of the
 * input, plus a bias. Here are the three sums of that idea: results, gradients of the weights,
 * gradient of the input. The layers in layers.ts only say where the patches lie.
 */

export interface Patches {
  /** Where each patch begins in the input. */
  readonly origins: Int32Array;
  /** Where each value of a patch lies, counted from its origin. */
  readonly offsets: Int32Array;
  /** Channel c's result at patch j lies at `c * channelStride + j * patchStride`. */
  readonly channelStride: number;
  readonly patchStride: number;
}

/** One row of weights and one bias for each channel; or the gradients of these. */
export interface Weights {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** Computes the results of all channels at all patches. */
export function project(
  output: Float32Array,
  input: Float32Array,
  { weight, bias }: Weights,
  patches: Patches,
): void {
  const { origins, channelStride, patchStride } = patches;
  for (let c = 0; c < bias.length; c += 2) {
    const height = Math.min(2, bias.length - c);
    for (let j = 0; j < origins.length; j += 4) {
      const width = Math.min(4, origins.length - j);
      const sums = sumBlock(input, weight, patches, c, c + height - 1, j);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const at = (c + y) * channelStride + (j + x) * patchStride;
          output[at] = bias[c + y]! + sums[4 * y + x]!;
        }
      }
    }
  }
}

/**
 * Channels c and d at patches j to j + 3 (beyond the last patch, that one again). Eight sums share
 * six loads and still fit the registers: more than twice as fast as one sum at a time.
 */
function sumBlock(
  input: Float32Array,
  weight: Float32Array,
  { origins, offsets }: Patches,
  c: number,
  d: number,
  j: number,
): number[] {
  const length = offsets.length;
  const last = origins.length - 1;
  const p0 = origins[j]!;
  const p1 = origins[Math.min(j + 1, last)]!;
  const p2 = origins[Math.min(j + 2, last)]!;
  const p3 = origins[Math.min(j + 3, last)]!;
  let [c0, c1, c2, c3, d0, d1, d2, d3] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = 0; k < length; k++) {
    const offset = offsets[k]!;
    const x0 = input[p0 + offset]!;
    const x1 = input[p1 + offset]!;
    const x2 = input[p2 + offset]!;
    const x3 = input[p3 + offset]!;
    const w = weight[c * length + k]!;
    const v = weight[d * length + k]!;
    c0 += w * x0;
    c1 += w * x1;
    c2 += w * x2;
    c3 += w * x3;
    d0 += v * x0;
    d1 += v * x1;
    d2 += v * x2;
    d3 += v * x3;
  }
  return [c0, c1, c2, c3, d0, d1, d2, d3];
}

/** Adds the gradients of weights and biases, given that of the results. */
export function addWeightGradients(
  sum: Weights,
  gradient: Float32Array,
  input: Float32Array,
  patches: Patches,
): void {
  const length = patches.offsets.length;
  for (let c = 0; c < sum.bias.length; c++) {
    const active = activePatches(gradient, c, patches);
    sum.bias[c]! += active.gradients.reduce((a, b) => a + b, 0);
    for (let k = 0; k < length; k += 4) {
      const sums = sumTaps(input, active, patches.offsets, k);
      const width = Math.min(4, length - k);
      for (let x = 0; x < width; x++) sum.weight[c * length + k + x]! += sums[x]!;
    }
  }
}

/** The gradients of the four weights from the k-th on (beyond the last, that one again). */
function sumTaps(
  input: Float32Array,
  { gradients, origins }: Active,
  offsets: Int32Array,
  k: number,
): number[] {
  const last = offsets.length - 1;
  const o0 = offsets[k]!;
  const o1 = offsets[Math.min(k + 1, last)]!;
  const o2 = offsets[Math.min(k + 2, last)]!;
  const o3 = offsets[Math.min(k + 3, last)]!;
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let i = 0; i < gradients.length; i++) {
    const g = gradients[i]!;
    const p = origins[i]!;
    s0 += g * input[p + o0]!;
    s1 += g * input[p + o1]!;
    s2 += g * input[p + o2]!;
    s3 += g * input[p + o3]!;
  }
  return [s0, s1, s2, s3];
}

/** Adds the gradient of the input, given that of the results. */
export function addInputGradient(
  sum: Float32Array,
  gradient: Float32Array,
  { weight, bias }: Weights,
  patches: Patches,
): void {
  const { offsets } = patches;
  for (let c = 0; c < bias.length; c++) {
    const { gradients, origins } = activePatches(gradient, c, patches);
    const row = c * offsets.length;
    for (let i = 0; i < gradients.length; i++) {
      const g = gradients[i]!;
      const p = origins[i]!;
      for (let k = 0; k < offsets.length; k++) sum[p + offsets[k]!]! += g * weight[row + k]!;
    }
  }
}

interface Active {
  readonly gradients: Float64Array;
  readonly origins: Int32Array;
}

/** The patches whose result has a gradient: relu and pooling leave one in four, or fewer. */
function activePatches(gradient: Float32Array, channel: number, patches: Patches): Active {
  const gradients = new Float64Array(patches.origins.length);
  const origins = new Int32Array(patches.origins.length);
  let count = 0;
  for (let j = 0; j < patches.origins.length; j++) {
    const g = gradient[channel * patches.channelStride + j * patches.patchStride]!;
    if (g === 0) continue;
    gradients[count] = g;
    origins[count++] = patches.origins[j]!;
  }
  return { gradients: gradients.subarray(0, count), origins: origins.subarray(0, count) };
}
