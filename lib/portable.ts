/**
 * `gradstep/portable`: the whole package without the native addon and without anything of
 * Node.js, for browsers and for platforms that cannot load addons. Same classes, same bits.
 */

export * from './averages/index.ts';
export { backend, isa, isas, setBackend, setIsa } from './backend/active.ts';
export type { BackendName } from './backend/backend.ts';
export { getNumThreads, setNumThreads } from './backend/threads.ts';
export { type AnyOptimizer, type CombinedOptimizer, combine, stepAll } from './combine/combine.ts';
export type { CombinedStateDict } from './combine/combined-dict.ts';
export * from './gradients/index.ts';
export * from './grouping/index.ts';
export type { Json, ParamGroupInput, ParamsOrGroups } from './groups/group-input.ts';
export type { GroupMembers, LiveOptions, ParamGroup } from './groups/param-group.ts';
export * from './lr-scheduler/index.ts';
export { Optimizer } from './optimizer/optimizer.ts';
export { type OptionsOf, option, type StateOf, type Update } from './optimizer/own-rule.ts';
export type { ReplaceOptions } from './optimizer/replace-options.ts';
export { Adadelta, type AdadeltaOptions, type AdadeltaState } from './optimizers/adadelta.ts';
export { Adafactor, type AdafactorOptions, type AdafactorState } from './optimizers/adafactor.ts';
export { Adagrad, type AdagradOptions, type AdagradState } from './optimizers/adagrad.ts';
export { Adam, type AdamOptions, type AdamState } from './optimizers/adam.ts';
export { Adamax, type AdamaxOptions, type AdamaxState } from './optimizers/adamax.ts';
export { AdamW, type AdamWOptions } from './optimizers/adamw.ts';
export { Adan, type AdanOptions, type AdanState } from './optimizers/adan.ts';
export { AdEMAMix, type AdEMAMixOptions, type AdEMAMixState } from './optimizers/ademamix.ts';
export { ASGD, type ASGDOptions, type ASGDState } from './optimizers/asgd.ts';
export { LAMB, type LAMBOptions, type LAMBState } from './optimizers/lamb.ts';
export { LARS, type LARSOptions, type LARSState } from './optimizers/lars.ts';
export { Lion, type LionOptions, type LionState } from './optimizers/lion.ts';
export { type AdjustLrFn, Muon, type MuonOptions, type MuonState } from './optimizers/muon.ts';
export { NAdam, type NAdamOptions, type NAdamState } from './optimizers/nadam.ts';
export {
  createOptimizer,
  listOptimizers,
  type OptimizerClass,
  type OptimizerClasses,
  registerOptimizer,
} from './optimizers/names.ts';
export { RAdam, type RAdamOptions, type RAdamState } from './optimizers/radam.ts';
export { RMSprop, type RMSpropOptions, type RMSpropState } from './optimizers/rmsprop.ts';
export { Rprop, type RpropOptions, type RpropState } from './optimizers/rprop.ts';
export { SGD, type SGDOptions, type SGDState } from './optimizers/sgd.ts';
export type { Option, Range as OptionRange } from './options/option.ts';
export type { NamedParameter, ParamsInput } from './parameters/list-params.ts';
export { Parameter, type ParameterLike, type ParameterOptions } from './parameters/parameter.ts';
export {
  type ArenaDescription,
  type ArenaShapes,
  ParameterArena,
} from './parameters/parameter-arena.ts';
export * from './schedules/index.ts';
export type { ParameterState, StateMap } from './slots/state.ts';
export * from './state-dict/index.ts';
export {
  type HookHandle,
  registerOptimizerStepPostHook,
  registerOptimizerStepPreHook,
  type StepArguments,
  type StepPostHook,
  type StepPreHook,
} from './stepping/hooks.ts';
export type { StepAsyncOptions } from './stepping/step-async.ts';
export type { ClipScope, LastStep, OnNonFinite, StepOptions } from './stepping/step-options.ts';
export type { ZeroGradOptions } from './stepping/zero-grad.ts';
export { type ErrorCode, GradstepError } from './support/errors.ts';
