/**
 * Gradients of depthwise convolutions as loops over flat arrays. Sums are kept in doubles, as
 * TensorFlow.js keeps them on the cpu backend, and rounded once.
 */

import type { Floats } from '../../support/typed-arrays.ts';
import type { ConvInfo } from './conv-info.ts';

/** How far apart neighbours in each direction lie. */
interface Strides {
  readonly batch: number;
  readonly y: number;
  readonly x: number;
  readonly channel: number;
}

function stridesOf(
  { dataFormat }: ConvInfo,
  height: number,
  width: number,
  channels: number,
): Strides {
  const batch = height * width * channels;
  return dataFormat === 'channelsLast'
    ? { batch, y: width * channels, x: channels, channel: 1 }
    : { batch, y: width, x: 1, channel: height * width };
}

const inStrides = (info: ConvInfo) => stridesOf(info, info.inHeight, info.inWidth, info.inChannels);
const outStrides = (info: ConvInfo) =>
  stridesOf(info, info.outHeight, info.outWidth, info.outChannels);

/**
 * Calls `at` for every place of the output and every tap of the filter that lies inside of the
 * input: where the tap's channels begin in the input and in the output, and its number.
 */
function forEachTap(
  info: ConvInfo,
  at: (input: number, output: number, tap: number) => void,
): void {
  const [from, to] = [inStrides(info), outStrides(info)];
  const { filterHeight, filterWidth, padInfo } = info;
  for (let b = 0; b < info.batchSize; b++) {
    for (let y = 0; y < info.outHeight; y++) {
      for (let x = 0; x < info.outWidth; x++) {
        const output = b * to.batch + y * to.y + x * to.x;
        for (let i = 0; i < filterHeight; i++) {
          const row = y * info.strideHeight + i * info.dilationHeight - padInfo.top;
          if (row < 0 || row >= info.inHeight) continue;
          for (let j = 0; j < filterWidth; j++) {
            const column = x * info.strideWidth + j * info.dilationWidth - padInfo.left;
            if (column < 0 || column >= info.inWidth) continue;
            at(b * from.batch + row * from.y + column * from.x, output, i * filterWidth + j);
          }
        }
      }
    }
  }
}

/**
 * The gradient of a depthwise convolution's filter: `out[i, j, c, q] = Σ x[…, c] * dy[…, c * multiplier + q]`.
 * @param out height × width × channels × multiplier of the filter.
 */
export function depthwiseFilterGradient(info: ConvInfo, x: Floats, dy: Floats, out: Floats): void {
  const { inChannels, outChannels } = info;
  const multiplier = outChannels / inChannels;
  const [from, to] = [inStrides(info).channel, outStrides(info).channel];
  const sums = new Float64Array(out.length);
  forEachTap(info, (input, output, tap) => {
    let sum = tap * outChannels;
    for (let c = 0, at = output; c < inChannels; c++) {
      const value = x[input + c * from]!;
      for (let q = 0; q < multiplier; q++, at += to) {
        sums[sum] = sums[sum]! + value * dy[at]!;
        sum += 1;
      }
    }
  });
  out.set(sums);
}

/**
 * The gradient of a depthwise convolution's input:
 * `out[…, c] = Σ dy[…, c * multiplier + q] * filter[i, j, c, q]`.
 */
export function depthwiseInputGradient(
  info: ConvInfo,
  dy: Floats,
  filter: Floats,
  out: Floats,
): void {
  const { inChannels, outChannels } = info;
  const multiplier = outChannels / inChannels;
  const [from, to] = [inStrides(info).channel, outStrides(info).channel];
  const sums = new Float64Array(out.length);
  forEachTap(info, (input, output, tap) => {
    let weight = tap * outChannels;
    for (let c = 0, at = output; c < inChannels; c++) {
      let sum = 0;
      for (let q = 0; q < multiplier; q++, at += to) sum += dy[at]! * filter[weight++]!;
      sums[input + c * from] = sums[input + c * from]! + sum;
    }
  });
  out.set(sums);
}
