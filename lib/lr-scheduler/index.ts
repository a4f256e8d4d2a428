/** Schedulers: what writes to an optimizer's groups as steps go by. */

export {
  ChainedScheduler,
  type ChainedSchedulerOptions,
} from './chained-scheduler.ts';
export type { AnyScheduler, CompositeOptions } from './composite-scheduler.ts';
export { ConstantLR, type ConstantLROptions } from './constant-lr.ts';
export { CosineAnnealingLR, type CosineAnnealingLROptions } from './cosine-annealing-lr.ts';
export {
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from './cosine-annealing-warm-restarts.ts';
export { CyclicLR, type CyclicLROptions } from './cyclic-lr.ts';
export { ExponentialLR, type ExponentialLROptions } from './exponential-lr.ts';
export {
  type GetSchedulerOptions,
  getScheduler,
  SCHEDULER_NAMES,
  type SchedulerName,
} from './get-scheduler.ts';
export { LambdaLR, type LambdaLROptions } from './lambda-lr.ts';
export { LinearLR, type LinearLROptions } from './linear-lr.ts';
export { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
export { MultiStepLR, type MultiStepLROptions } from './multi-step-lr.ts';
export { MultiplicativeLR, type MultiplicativeLROptions } from './multiplicative-lr.ts';
export { OneCycleLR, type OneCycleLROptions } from './one-cycle-lr.ts';
export { PolynomialLR, type PolynomialLROptions } from './polynomial-lr.ts';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './reduce-lr-on-plateau.ts';
export {
  type OptionScheduler,
  type OptionSchedulerState,
  type OptionSchedules,
  type ScheduleOptions,
  schedule,
} from './schedule.ts';
export type { GroupFilter, SchedulableGroup, SchedulableOptimizer } from './scheduled-groups.ts';
export type { SchedulerSpec } from './scheduler-options.ts';
export type { SchedulerState } from './scheduler-state.ts';
export { SequentialLR, type SequentialLROptions } from './sequential-lr.ts';
export { StepLR, type StepLROptions } from './step-lr.ts';
export { SWALR, type SWALROptions } from './swalr.ts';
