/** Averages of parameters over training. */

export type { Average } from './average.ts';
export type { AverageStateDict } from './average-dict.ts';
export { EMA, type EMAOptions } from './ema.ts';
export { SWA, type SWAOptions } from './swa.ts';
