/**
 * How the values of tensors are reached. A step goes through three phases: whatever may allocate,
 * which can move the whole heap of a backend; views of everything; and what is left to do.
 */

import type { Floats } from '../../support/typed-arrays.ts';
import type { TensorLike } from '../tensorflow.ts';
import type { VariableParameter } from '../variable-parameter.ts';

/** The memory of one backend. */
export interface Memory {
  /** First phase: lets the variable have memory that may be written. May allocate. */
  prepare(parameter: VariableParameter): void;
  /** Second phase: where the values of the variable lie. */
  dataOf(parameter: VariableParameter): Floats;
  /** Where the values of any tensor lie, or a copy of them. */
  valuesOf(tensor: TensorLike): unknown;
  /** Last phase: tells the backend what was written. */
  commit(parameter: VariableParameter): void;
}
