/** The cpu backend: tensors are typed arrays, which users may hold too. */

import type { Floats } from '../../support/typed-arrays.ts';
import type { TensorFlow, TensorLike, VariableLike } from '../tensorflow.ts';
import type { VariableParameter } from '../variable-parameter.ts';
import { homeOf } from './arena-homes.ts';
import type { Memory } from './memory.ts';

/** As much of `MathBackendCPU` as is used here. */
export interface CpuBackend {
  readonly data: { get(dataId: object): { readonly values?: unknown } };
  refCount(dataId: object): number;
  readSync(dataId: object): unknown;
}

export function isCpuBackend(backend: object): backend is CpuBackend {
  const { data, refCount, readSync } = backend as Partial<CpuBackend>;
  return (
    typeof data?.get === 'function' &&
    typeof refCount === 'function' &&
    typeof readSync === 'function'
  );
}

export class CpuMemory implements Memory {
  readonly #tf: TensorFlow;
  readonly #backend: CpuBackend;
  readonly #inPlace: boolean;

  constructor(tf: TensorFlow, backend: CpuBackend, inPlace: boolean) {
    this.#tf = tf;
    this.#backend = backend;
    this.#inPlace = inPlace;
  }

  /**
   * A copy, unless that was waived: nothing tells whether somebody holds the array that he gave to
   * `tf.tensor()` or had from `dataSync()`, and it must not change under him.
   */
  prepare({ variable }: VariableParameter): void {
    const values = this.valuesOf(variable);
    const home = homeOf(variable);
    if (home !== undefined) {
      if (values !== home) this.#moveHome(variable, home, values as Floats);
      return;
    }
    const isOwn = values instanceof Float32Array && this.#backend.refCount(variable.dataId) === 1;
    if (!(isOwn && this.#inPlace)) this.#assign(variable, new Float32Array(values as Floats));
  }

  /** Something was assigned to a variable of an arena: its values go back to where it lies. */
  #moveHome(variable: VariableLike, home: Floats, values: Floats): void {
    home.set(values);
    this.#assign(variable, home);
  }

  #assign(variable: VariableLike, values: Floats): void {
    const { shape } = variable;
    const tensor = this.#tf.engine().makeTensor(values, [...shape], 'float32', this.#backend);
    variable.assign(tensor);
    tensor.dispose();
  }

  dataOf({ variable }: VariableParameter): Floats {
    return this.valuesOf(variable) as Floats;
  }

  valuesOf({ dataId }: TensorLike): unknown {
    const { values } = this.#backend.data.get(dataId);
    return ArrayBuffer.isView(values) ? values : this.#backend.readSync(dataId);
  }

  commit(): void {}
}
