/** Plain schedules: functions from the step number to a value. */

export { type CosineOptions, cosine } from './cosine.ts';
export { type CycleOptions, cycle } from './cycle.ts';
export type { Shape } from './ease.ts';
export { type ExponentialOptions, exponential } from './exponential.ts';
export { type InverseSqrtOptions, inverseSqrt } from './inverse-sqrt.ts';
export { join } from './join.ts';
export { type LinearOptions, linear } from './linear.ts';
export { type OneCycleOptions, oneCycle } from './one-cycle.ts';
export { type PiecewiseOptions, type Point, piecewise } from './piecewise.ts';
export { type PolynomialOptions, polynomial } from './polynomial.ts';
export type { ScheduleFunction } from './schedule-function.ts';
export { type WarmupOptions, warmup } from './warmup.ts';
export { type WarmupStableDecayOptions, warmupStableDecay } from './warmup-stable-decay.ts';
