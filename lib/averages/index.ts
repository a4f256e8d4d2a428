/** Averages of parameters over training. */

export type { Average } from './average.ts';
export type { AverageStateDict } from './average-dict.ts';
export { AveragedModel, type AveragedModelOptions } from './averaged-model.ts';
export { EMA, type EMAOptions } from './ema.ts';
export type { AverageFunction } from './function-rule.ts';
export type { AverageOptions, PaceOptions } from './options.ts';
export { SWA, type SWAOptions } from './swa.ts';
