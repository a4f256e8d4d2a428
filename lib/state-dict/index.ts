/** State dicts: everything that a resumed run needs, as plain data. */

export type { StateDictHook, StateDictHookOptions } from './has-state-dict.ts';
export {
  type LoadModelOptions,
  loadModelStateDict,
  type Model,
  type ModelStateDict,
  modelStateDict,
} from './model.ts';
export type {
  OptimizerStateDict,
  SavedGroup,
  SavedParameter,
  SavedState,
} from './optimizer-dict.ts';
export type { LoadReport, LoadStateDictOptions, StateDictOptions, Stateful } from './stateful.ts';
export {
  type ExchangedDicts,
  fromTorch,
  type Tensor,
  type TensorFile,
  type TensorFileInput,
  toTorch,
} from './torch.ts';
