/** `gradstep/safetensors`: tensors by name, as bytes and as files. */

export { GradstepError } from '../support/errors.ts';
export {
  deserialize,
  type ReadOptions,
  type SerializeOptions,
  serialize,
  type Tensor,
  type Tensors,
} from './bytes.ts';
export type { Dtype, TensorArray } from './dtypes.ts';
export type { TensorInfo } from './header.ts';
export type { TensorInput, TensorInputs } from './layout.ts';
export { saveNpz } from './npz.ts';
export { openFile, type ReadTensorOptions, readFile, type SafetensorsFile } from './read-file.ts';
export { type Progress, type WriteFileOptions, writeFile } from './write-file.ts';
