/** `gradstep/tfjs` in browsers: everything of it, without the addon. */

export { type ArenaVariables, arenaVariables } from './arena-variables.ts';
export { bindTfjs, type Factory, type Optim, type VariableGroup } from './bind.ts';
export type { Bound, BoundMembers } from './bound-class.ts';
export { registerTfjs } from './compatible/register-tfjs.ts';
export type { BindOptions } from './driver.ts';
export type { GradientsInput } from './gradients-input.ts';
export { enableWasmTraining, type KernelRegistry } from './kernels/wasm-training.ts';
export {
  enableFileUrls,
  type ModelArtifacts,
  type ModelFolder,
  modelFolder,
} from './model-folder.ts';
export type { VariablesInput, VariablesItem } from './selection.ts';
export type {
  LayerWeight,
  NamedTensorLike,
  OptimizerOf,
  TensorFlow,
  TensorLike,
  VariableLike,
  WeightHolder,
} from './tensorflow.ts';
export type { VariableParameter } from './variable-parameter.ts';
