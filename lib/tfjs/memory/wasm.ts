/** The wasm backend: tensors are blocks of one heap, which moves as a whole when it grows. */

import type { Floats } from '../../support/typed-arrays.ts';
import type { TensorFlow, TensorInfo, TensorLike, VariableLike } from '../tensorflow.ts';
import type { VariableParameter } from '../variable-parameter.ts';
import type { Memory } from './memory.ts';

/** Where a tensor lies, and what the backend's C++ calls it. */
interface Block {
  readonly id: number;
  readonly memoryOffset: number;
}

/** As much of `BackendWasm` as is used here. */
export interface WasmBackend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    readonly tfjs: {
      disposeData?(id: number): void;
      registerTensor?(id: number, size: number, memoryOffset: number): void;
    };
  };
  readonly dataIdMap: { get(dataId: object): Block };
  refCount(dataId: object): number;
  makeOutput(shape: number[], dtype: string): TensorInfo;
  typedArrayFromHeap(info: TensorInfo): unknown;
}

export function isWasmBackend(backend: object): backend is WasmBackend {
  const { wasm, dataIdMap, refCount, makeOutput, typedArrayFromHeap } =
    backend as Partial<WasmBackend>;
  return (
    wasm?.HEAPU8 instanceof Uint8Array &&
    typeof dataIdMap?.get === 'function' &&
    [refCount, makeOutput, typedArrayFromHeap].every((method) => typeof method === 'function')
  );
}

export class WasmMemory implements Memory {
  readonly #tf: TensorFlow;
  readonly #backend: WasmBackend;

  constructor(tf: TensorFlow, backend: WasmBackend) {
    this.#tf = tf;
    this.#backend = backend;
  }

  /**
   * In place, except where a clone or a reshape has the same memory. Operators keep packed copies
   * of weights by the tensor's id: the id is registered anew, and they are made anew.
   */
  prepare({ variable }: VariableParameter): void {
    const { tfjs } = this.#backend.wasm;
    const isShared = this.#backend.refCount(variable.dataId) > 1;
    if (isShared || tfjs.disposeData === undefined || tfjs.registerTensor === undefined) {
      this.#move(variable);
      return;
    }
    const { id, memoryOffset } = this.#backend.dataIdMap.get(variable.dataId);
    tfjs.disposeData(id);
    tfjs.registerTensor(id, variable.size, memoryOffset);
  }

  #move(variable: VariableLike): void {
    const { dataIdMap, wasm } = this.#backend;
    const info = this.#backend.makeOutput([...variable.shape], 'float32');
    const from = dataIdMap.get(variable.dataId).memoryOffset;
    const to = dataIdMap.get(info.dataId).memoryOffset;
    wasm.HEAPU8.copyWithin(to, from, from + variable.size * 4);
    const tensor = this.#tf.engine().makeTensorFromTensorInfo(info, this.#backend);
    variable.assign(tensor);
    tensor.dispose();
  }

  /** The view of the step before, as long as neither heap nor variable has moved: it is dear. */
  dataOf({ variable, data }: VariableParameter): Floats {
    const { buffer } = this.#backend.wasm.HEAPU8;
    const { memoryOffset } = this.#backend.dataIdMap.get(variable.dataId);
    const isThere =
      data.buffer === buffer && data.byteOffset === memoryOffset && data.length === variable.size;
    return isThere ? data : new Float32Array(buffer, memoryOffset, variable.size);
  }

  valuesOf({ dataId, shape, dtype }: TensorLike): unknown {
    return this.#backend.typedArrayFromHeap({ dataId, shape: shape as number[], dtype });
  }

  commit(): void {}
}
