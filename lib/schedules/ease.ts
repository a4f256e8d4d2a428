/** The shapes in which a value goes from one end to the other. */

import { cos } from '../support/cosine.ts';

/** Linear, half a cosine wave, or one minus a square root. */
export type Shape = 'linear' | 'cosine' | '1-sqrt';

/** All shapes. @internal */
export const SHAPES = ['linear', 'cosine', '1-sqrt'] as const satisfies readonly Shape[];

/** What is left of the way at `progress`: 1 at 0, 0 at 1. @internal */
export function remaining(shape: Shape, progress: number): number {
  if (shape === 'cosine') return (1 + cos(Math.PI * progress)) / 2;
  if (shape === '1-sqrt') return 1 - Math.sqrt(progress);
  return 1 - progress;
}

/**
 * Between two values, however it rounds: `from` where all of the way is left, `to` where nothing
 * is, both exactly.
 * @internal
 */
export function mix(from: number, to: number, left: number): number {
  return between(from, to, from * left + to * (1 - left));
}

/** What lies between two ends but for rounding, at most at an end. @internal */
export function between(from: number, to: number, value: number): number {
  return Math.min(Math.max(value, Math.min(from, to)), Math.max(from, to));
}

/** How much of a span of `steps` is over, in [0, 1]. @internal */
export function progressOf(step: number, steps: number): number {
  return Math.min(1, step / steps);
}
