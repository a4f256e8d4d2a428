/** From digits on file to batches that the network takes. */

import { type Digits, SIDE } from './mnist.ts';
import { sample, type Tensor, zeros } from './tensor.ts';

export interface Batch {
  readonly images: Tensor;
  readonly labels: Uint8Array;
}

const PIXELS = SIDE * SIDE;
const PADDING = 2;
const PADDED_SIDE = SIDE + 2 * PADDING;
const CHANNELS = 3;

/** Brings the grey values of MNIST to mean 0 and deviation 1. */
const normalized = Float32Array.from({ length: 256 }, (_, grey) => (grey / 255 - 0.1307) / 0.3081);

/** The digits from place `from` up to `to`. */
export function slice({ pixels, labels }: Digits, from: number, to: number): Digits {
  return { pixels: pixels.subarray(from * PIXELS, to * PIXELS), labels: labels.subarray(from, to) };
}

/** The digits at these places: normalized, padded with black to 32 × 32, on all three channels. */
export function batch({ pixels, labels }: Digits, places: Int32Array): Batch {
  const images = zeros([places.length, CHANNELS, PADDED_SIDE, PADDED_SIDE]);
  places.forEach((place, n) => {
    const image = sample(images, n);
    const channel = image.subarray(0, PADDED_SIDE * PADDED_SIDE).fill(normalized[0]!);
    for (let i = 0; i < PIXELS; i++) {
      const row = PADDING + Math.floor(i / SIDE);
      const column = PADDING + (i % SIDE);
      channel[row * PADDED_SIDE + column] = normalized[pixels[place * PIXELS + i]!]!;
    }
    for (let c = 1; c < CHANNELS; c++) image.set(channel, c * channel.length);
  });
  return { images, labels: Uint8Array.from(places, (place) => labels[place]!) };
}

/** The same digits turned a quarter to the left. */
export function turned({ pixels, labels }: Digits): Digits {
  const result = pixels.map((_, i) => {
    const [row, column] = [Math.floor((i % PIXELS) / SIDE), i % SIDE];
    return pixels[i - (i % PIXELS) + column * SIDE + (SIDE - 1 - row)]!;
  });
  return { pixels: result, labels };
}
