/** Averages of parameters over training. */

export { Average } from './average.ts';
export { EMA, type EMAOptions } from './ema.ts';
export { SWA, type SWAOptions } from './swa.ts';
