/** Backends whose memory cannot be seen: values are read, stepped, and assigned. */

import type { Floats } from '../../support/typed-arrays.ts';
import type { TensorFlow, TensorLike } from '../tensorflow.ts';
import type { VariableParameter } from '../variable-parameter.ts';
import type { Memory } from './memory.ts';

export class OtherMemory implements Memory {
  readonly #tf: TensorFlow;

  constructor(tf: TensorFlow) {
    this.#tf = tf;
  }

  prepare(parameter: VariableParameter): void {
    // A copy: some backends give out what they keep.
    parameter.data = new Float32Array(parameter.variable.dataSync() as Floats);
  }

  /** What was read by `prepare`; a variable that is not written need not be read again. */
  dataOf(parameter: VariableParameter): Floats {
    if (parameter.data.length !== parameter.variable.size) this.prepare(parameter);
    return parameter.data;
  }

  valuesOf(tensor: TensorLike): unknown {
    return tensor.dataSync();
  }

  commit({ variable, data }: VariableParameter): void {
    // Another copy: a backend may keep the array until it uploads it.
    const tensor = this.#tf.tensor(data.slice(), [...variable.shape], 'float32');
    variable.assign(tensor);
    tensor.dispose();
  }
}
