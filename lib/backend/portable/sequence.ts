/** Several cores in TypeScript stepped as one: `native/core/step_sequence.cc` again. */

import type { CoreSequence, SequenceFailure } from '../backend.ts';
import type { PortableCore } from './core.ts';

export class PortableSequence implements CoreSequence {
  readonly #cores: readonly PortableCore[];
  readonly #follows: readonly number[];
  /** By core: whether the last step moved it. */
  readonly #moved: boolean[] = [];

  constructor(cores: readonly PortableCore[], follows: readonly number[]) {
    this.#cores = cores;
    this.#follows = follows;
  }

  step(): SequenceFailure | undefined {
    const failure = this.prepare();
    if (failure !== undefined) return failure;
    this.run();
    for (let i = 0; i < this.#cores.length; i++) if (this.#moved[i]) this.#cores[i]!.zeroGrads();
    return undefined;
  }

  prepare(): SequenceFailure | undefined {
    for (let core = 0; core < this.#cores.length; core++) {
      const failure = this.#cores[core]!.prepare();
      if (failure === undefined) continue;
      this.cancel();
      return { kind: failure.kind, slot: failure.slot, other: failure.other, core };
    }
    return undefined;
  }

  run(): void {
    for (let i = 0; i < this.#cores.length; i++) this.#moved[i] = false;
    try {
      for (let i = 0; i < this.#cores.length; i++) {
        if (this.#isDue(i)) this.#moved[i] = this.#cores[i]!.run();
      }
    } finally {
      this.cancel();
    }
  }

  /** An average is, once an optimizer that it follows has moved. */
  #isDue(core: number): boolean {
    const follows = this.#follows[core]!;
    for (let i = core - follows; i < core; i++) {
      if (this.#follows[i] === 0 && this.#moved[i]) return true;
    }
    return follows === 0;
  }

  cancel(): void {
    for (let i = 0; i < this.#cores.length; i++) this.#cores[i]!.cancel();
  }

  async stepInBackground(): Promise<SequenceFailure | undefined> {
    return this.step();
  }

  cancelBackground(): void {}
}
