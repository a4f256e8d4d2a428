/** The portable backend: the native core again, in TypeScript, with the same bits. */

import type { Backend, Core, Failure } from '../backend.ts';
import { addressOf, MemoryMap, NOBODY, STATE } from './memory-map.ts';
import { adadelta } from './rules/adadelta.ts';
import { adagrad } from './rules/adagrad.ts';
import { adam, adamw } from './rules/adam.ts';
import { adamax } from './rules/adamax.ts';
import { lion } from './rules/lion.ts';
import { radam } from './rules/radam.ts';
import { rmsprop } from './rules/rmsprop.ts';
import { rprop } from './rules/rprop.ts';
import { type Arrays, type Rule, ScalarOverflow } from './rules/rule.ts';
import { sgd } from './rules/sgd.ts';

type Floats = Float32Array<ArrayBufferLike>;
type Doubles = Float64Array<ArrayBufferLike>;

/** All update rules. A new one is one line here, beside its file. */
const rules: readonly Rule<unknown>[] = [
  sgd,
  adam,
  adamw,
  rmsprop,
  adagrad,
  adadelta,
  adamax,
  radam,
  rprop,
  lion,
];

export const portable: Backend = {
  name: 'portable',
  isas: () => ['portable'],
  isa: () => 'portable',
  setIsa: (name) => name === 'portable',
  residue: () => 0,
  open(name, fields) {
    const rule = rules.find((candidate) => candidate.name === name);
    if (rule?.fields.join() !== fields.join()) throw new Error(`No such rule: ${name}(${fields})`);
    return new PortableCore(rule);
  },
};

interface Slot {
  data: Floats;
  grad: Floats | null;
  /** Where `data` lay when its memory was claimed. */
  address: number;
  readonly state: Floats[];
  readonly length: number;
  readonly struct: Doubles;
  readonly steps: Doubles;
  readonly at: number;
}

/** A slot of this step with its scalars. */
type Planned = readonly [slot: Slot, scalars: unknown];

class PortableCore implements Core {
  readonly #rule: Rule<unknown>;
  readonly #slots: Slot[] = [];
  readonly #memory = new MemoryMap();
  #movedData: number[] = [];
  #movedGrads: number[] = [];
  #allGradsMoved = false;

  constructor(rule: Rule<unknown>) {
    this.#rule = rule;
  }

  claimState(bytes: Uint8Array<ArrayBufferLike>): void {
    this.#memory.claim(bytes, bytes.length, STATE);
  }

  addGroup(struct: Doubles, steps: Doubles, data: readonly Floats[]): Failure | undefined {
    const first = this.#slots.length;
    for (const [at, array] of data.entries()) {
      const slot = first + at;
      const other = this.#memory.claim(array, array.byteLength, slot);
      if (other !== NOBODY) {
        for (let i = first; i < slot; i++) this.#memory.release(this.#slots[i]!.address, i);
        this.#slots.length = first;
        return { kind: 'dataOverlap', slot, other };
      }
      const { length } = array;
      const address = addressOf(array);
      this.#slots.push({ data: array, grad: null, address, state: [], length, struct, steps, at });
    }
    this.#allGradsMoved = true;
    return undefined;
  }

  ownLines(): void {} // a loop over numbers gains nothing from longer spans

  setState(slot: number, which: number, state: Floats): void {
    this.#slots[slot]!.state[which] = state;
  }

  setData(slot: number, data: Floats): void {
    const row = this.#slots[slot]!;
    this.#memory.release(row.address, slot);
    row.data = data;
    row.address = addressOf(data);
    this.#movedData.push(slot);
    this.#allGradsMoved = true;
  }

  setGrad(slot: number, grad: Floats | null): void {
    this.#slots[slot]!.grad = grad;
    if (grad !== null) this.#movedGrads.push(slot);
  }

  step(): Failure | undefined {
    const failure = this.#verifyMemory();
    if (failure !== undefined) return failure;
    const plan = this.#plan();
    if ('kind' in plan) return plan;
    for (const [slot, scalars] of plan) this.#rule.update(scalars, slot as Arrays);
    for (const [slot] of plan) {
      if (this.#rule.counts(slot.struct)) slot.steps[slot.at]! += 1;
    }
    return undefined;
  }

  dispose(): void {
    this.#slots.length = 0;
  }

  /** Arrays that came since the last step. What fails stays: the next step asks again. */
  #verifyMemory(): Failure | undefined {
    for (let slot = this.#movedData.at(-1); slot !== undefined; slot = this.#movedData.at(-1)) {
      const { data, length } = this.#slots[slot]!;
      const other = this.#memory.claim(data, length * 4, slot);
      if (other !== NOBODY && other !== slot) return { kind: 'dataOverlap', slot, other };
      this.#movedData.pop();
    }
    const moved = this.#allGradsMoved ? this.#slots.keys() : this.#movedGrads;
    for (const slot of moved) {
      const { grad, length } = this.#slots[slot]!;
      const other = grad === null ? NOBODY : this.#memory.holder(grad, length * 4);
      if (other !== NOBODY) return { kind: 'gradOverlap', slot, other };
    }
    this.#allGradsMoved = false;
    this.#movedGrads = [];
    return undefined;
  }

  /** Everything that can fail, before anything is written. */
  #plan(): Planned[] | Failure {
    const plan: Planned[] = [];
    let scalars: unknown;
    let struct: Doubles | undefined;
    let count = -1;
    for (const [index, slot] of this.#slots.entries()) {
      if (slot.grad === null) continue;
      const steps = slot.steps[slot.at]!;
      if (slot.struct !== struct || steps !== count) {
        try {
          scalars = this.#rule.prepare(slot.struct, steps);
        } catch (error) {
          if (!(error instanceof ScalarOverflow)) throw error;
          return { kind: 'overflow', slot: index, other: STATE };
        }
        struct = slot.struct;
        count = steps;
      }
      plan.push([slot, scalars]);
    }
    return plan;
  }
}
