/** The memory of each backend of one `tf`. */

import type { Floats } from '../../support/typed-arrays.ts';
import { isVariable } from '../selection.ts';
import type { TensorFlow, TensorLike } from '../tensorflow.ts';
import { type CpuBackend, CpuMemory, isCpuBackend } from './cpu.ts';
import type { Memory } from './memory.ts';
import { OtherMemory } from './other.ts';
import { isWasmBackend, type WasmBackend, WasmMemory } from './wasm.ts';

/** How variables are to be written. */
export interface MemoryOptions {
  /**
   * On the cpu backend, write into the very array of a variable, also where it was given to or
   * had from `tf`: faster by a copy of all parameters a step.
   */
  readonly inPlace: boolean;
}

/** The memories of all backends of one `tf`. */
export class Memories {
  readonly #tf: TensorFlow;
  readonly #options: MemoryOptions;
  readonly #byBackend = new WeakMap<object, Memory>();
  readonly #other: Memory;

  constructor(tf: TensorFlow, options: MemoryOptions) {
    this.#tf = tf;
    this.#options = options;
    this.#other = new OtherMemory(tf);
  }

  /** That of the backend which has this tensor: its own, not the one in force. */
  of(tensor: TensorLike): Memory {
    const backend = this.#tf.engine().state.tensorInfo.get(tensor.dataId)?.backend;
    if (backend === undefined) return this.#other;
    let memory = this.#byBackend.get(backend);
    if (memory === undefined) {
      memory = this.#open(backend);
      this.#byBackend.set(backend, memory);
    }
    return memory;
  }

  #open(backend: object): Memory {
    const { registry } = this.#tf.engine();
    const name = Object.keys(registry).find((key) => registry[key] === backend);
    if (name === 'cpu' && isCpuBackend(backend)) {
      return new CpuMemory(this.#tf, backend as CpuBackend, this.#options.inPlace);
    }
    if (name === 'wasm' && isWasmBackend(backend)) {
      return new WasmMemory(this.#tf, backend as WasmBackend);
    }
    return this.#other;
  }

  /**
   * The values of a gradient as float32; a copy where they are of another type, and where the
   * gradient is itself a variable, which may be stepped.
   */
  gradOf(gradient: TensorLike): Floats {
    const values = this.of(gradient).valuesOf(gradient);
    const isPlain = values instanceof Float32Array && !isVariable(gradient);
    return isPlain ? values : Float32Array.from(values as Floats);
  }
}
