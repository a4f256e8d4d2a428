/**
 * `gradstep/portable`: the whole package without the native addon and without anything of
 * Node.js, for browsers and for platforms that cannot load addons. Same classes, same bits.
 */

export * from './averages/index.ts';
export { backend, isa, isas, setBackend, setIsa } from './backend/active.ts';
export type { BackendName } from './backend/backend.ts';
export { getNumThreads, setNumThreads } from './backend/threads.ts';
export { type AnyOptimizer, type CombinedOptimizer, combine, stepAll } from './combine.ts';
export { type ErrorCode, GradstepError } from './errors.ts';
export * from './gradients/index.ts';
export type { ParamGroupInput, ParamsOrGroups } from './group-input.ts';
export * from './grouping/index.ts';
export {
  type HookHandle,
  registerOptimizerStepPostHook,
  registerOptimizerStepPreHook,
  type StepArguments,
  type StepPostHook,
  type StepPreHook,
} from './hooks.ts';
export * from './lr-scheduler/index.ts';
export { Optimizer } from './optimizer.ts';
export {
  createOptimizer,
  listOptimizers,
  type OptimizerClass,
  type OptimizerClasses,
  registerOptimizer,
} from './optimizer-names.ts';
export { Adadelta, type AdadeltaOptions, type AdadeltaState } from './optimizers/adadelta.ts';
export { Adagrad, type AdagradOptions, type AdagradState } from './optimizers/adagrad.ts';
export { Adam, type AdamOptions, type AdamState } from './optimizers/adam.ts';
export { Adamax, type AdamaxOptions, type AdamaxState } from './optimizers/adamax.ts';
export { AdamW, type AdamWOptions } from './optimizers/adamw.ts';
export { ASGD, type ASGDOptions, type ASGDState } from './optimizers/asgd.ts';
export { Lion, type LionOptions, type LionState } from './optimizers/lion.ts';
export { NAdam, type NAdamOptions, type NAdamState } from './optimizers/nadam.ts';
export { RAdam, type RAdamOptions, type RAdamState } from './optimizers/radam.ts';
export { RMSprop, type RMSpropOptions, type RMSpropState } from './optimizers/rmsprop.ts';
export { Rprop, type RpropOptions, type RpropState } from './optimizers/rprop.ts';
export { SGD, type SGDOptions, type SGDState } from './optimizers/sgd.ts';
export type { Option, Range as OptionRange } from './options.ts';
export { type OptionsOf, option, type StateOf, type Update } from './own-optimizer.ts';
export type { GroupMembers, Json, LiveOptions, ParamGroup } from './param-group.ts';
export { Parameter, type ParameterLike, type ParameterOptions } from './parameter.ts';
export { type ArenaDescription, type ArenaShapes, ParameterArena } from './parameter-arena.ts';
export type { NamedParameter, ParamsInput } from './params.ts';
export type { ReplaceOptions } from './replace-options.ts';
export * from './schedules/index.ts';
export type { ParameterState, StateMap } from './state.ts';
export type { StepAsyncOptions } from './step-async.ts';
export type { ClipScope, LastStep, OnNonFinite, StepOptions } from './step-options.ts';
export type { ZeroGradOptions } from './zero-grad.ts';
