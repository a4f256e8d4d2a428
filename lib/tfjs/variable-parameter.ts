/** A variable of TensorFlow.js as gradstep sees it: an array of values, an array of gradients. */

import type { ParameterLike } from '../parameters/parameter.ts';
import type { Floats } from '../support/typed-arrays.ts';
import type { LayerWeight, VariableLike } from './tensorflow.ts';

/** What has no memory yet. */
const NOTHING: Floats = new Float32Array(0);

/**
 * One variable. `data` and `grad` are where its values and its gradient lie during a step; between
 * steps, TensorFlow.js may have moved them: read them through the variable then.
 */
export class VariableParameter implements ParameterLike {
  readonly variable: VariableLike;
  readonly name: string;
  readonly shape: readonly number[];
  /** What the layer that it belongs to asks for after each step. */
  readonly constraint: LayerWeight['constraint'];
  data: Floats = NOTHING;
  grad: Floats | null = null;

  constructor(variable: VariableLike, constraint?: LayerWeight['constraint']) {
    this.variable = variable;
    this.name = variable.name;
    this.shape = Object.freeze([...variable.shape]);
    this.constraint = constraint ?? null;
  }
}
