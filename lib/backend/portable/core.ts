/** One optimizer of the portable backend: `native/core/optimizer.cc` and `plan.cc` again. */

import { takeOut } from '../../support/lists.ts';
import {
  type Doubles,
  type Floats,
  fillZero,
  isGone,
  lengthOf,
  viewOf,
} from '../../support/typed-arrays.ts';
import type { Core, Failure } from '../backend.ts';
import { OPTION, PLAIN_OPTIONS, REPORT } from '../step-options.ts';
import { checkGradients, type GradientCheck, type GradientOf } from './gradient-check.ts';
import { MemoryMap, NOBODY, type Range, rangeOf, STATE, wholeRange } from './memory-map.ts';
import { type Arrays, type Rule, ScalarOverflow } from './rules/rule.ts';
import { updateSlot } from './treated.ts';

interface Slot {
  readonly group: number;
  data: Floats;
  grad: Floats | null;
  /** What was claimed for `data`. */
  range: Range;
  readonly state: Floats[];
  readonly length: number;
  struct: Doubles;
  /** What the rule remembers of it; a view, as every step writes it. */
  record: Doubles;
}

/** Neighbouring slots that share their scalars. */
interface Run {
  readonly slots: Slot[];
  readonly struct: Doubles;
  /** The record of each before this step, and after it. */
  readonly record: Doubles;
  readonly next: Doubles;
  readonly scalars: unknown;
}

export class PortableCore implements Core {
  readonly #rule: Rule<unknown>;
  /** Where a struct says that the sign of every gradient turns. */
  readonly #maximize: number;
  #slots: Slot[] = [];
  #memory = new MemoryMap();
  #movedData: number[] = [];
  #movedGrads: number[] = [];
  #allGradsMoved = false;
  #groups = 0;
  #options: Doubles = PLAIN_OPTIONS;
  #report: Doubles | undefined;

  constructor(rule: Rule<unknown>) {
    this.#rule = rule;
    this.#maximize = rule.isOwn ? -1 : rule.fields.indexOf('maximize');
  }

  claimState(bytes: Uint8Array<ArrayBufferLike>): void {
    this.#memory.claim(rangeOf(bytes, lengthOf(bytes)), STATE);
  }

  releaseState(bytes: Uint8Array<ArrayBufferLike>): void {
    this.#memory.release(rangeOf(bytes, lengthOf(bytes)), STATE);
  }

  addGroup(struct: Doubles, records: Doubles, data: readonly Floats[]): Failure | undefined {
    const failure = this.#claimAll(data);
    if (failure !== undefined) return failure;
    for (const [at, array] of data.entries()) {
      const length = lengthOf(array);
      const range = wholeRange(array);
      const size = this.#rule.record.length;
      const record = records.subarray(at * size, (at + 1) * size);
      const group = this.#groups;
      const state: Floats[] = [];
      this.#slots.push({ group, data: array, grad: null, range, state, length, struct, record });
    }
    this.#groups += 1;
    this.#allGradsMoved = true;
    return undefined;
  }

  findOverlap(data: readonly Floats[]): Failure | undefined {
    const failure = this.#claimAll(data);
    if (failure !== undefined) return failure;
    for (let i = data.length - 1; i >= 0; i--) {
      this.#memory.release(wholeRange(data[i]!), this.#slots.length + i);
    }
    return undefined;
  }

  /** Claims the memory of slots that come: all of it, or none and the reason. */
  #claimAll(data: readonly Floats[]): Failure | undefined {
    const failure = this.#memory.claimAll(data.map(wholeRange), this.#slots.length);
    return failure && { kind: 'dataOverlap', slot: failure.owner, other: failure.other };
  }

  /** A padded slot owns its last cache line too; a loop over numbers gains nothing from it. */
  ownLines(first: number, end: number): void {
    for (let slot = first; slot < end; slot++) this.#ownLine(slot);
  }

  #ownLine(slot: number): void {
    const row = this.#slots[slot]!;
    const longer = rangeOf(row.data, Math.ceil(row.length / 16) * 64);
    // If somebody lies in the padding, it is not ours.
    if (this.#memory.extend(longer, slot)) row.range = longer;
  }

  releaseData(slot: number): void {
    this.#memory.release(this.#slots[slot]!.range, slot);
  }

  setSlot(slot: number, hyperparameters: Doubles, record: Doubles): void {
    this.#slots[slot]!.struct = hyperparameters;
    this.#slots[slot]!.record = record;
  }

  setStates(which: number, memory: Floats, places: Doubles, count: number): Floats[] {
    return Array.from({ length: count }, (_, i) => {
      const slot = this.#slots[places[2 * i]!]!;
      const isWhole = lengthOf(memory) === slot.length;
      const array = isWhole ? memory : viewOf(memory, places[2 * i + 1]!, slot.length);
      slot.state[which] = array;
      return array;
    });
  }

  setData(slot: number, data: Floats): void {
    const row = this.#slots[slot]!;
    this.releaseData(slot);
    row.data = data;
    row.range = rangeOf(data, row.length * 4);
    this.#movedData.push(slot);
    this.#allGradsMoved = true;
  }

  setGrad(slot: number, grad: Floats | null): void {
    this.#slots[slot]!.grad = grad;
    if (grad !== null) this.#movedGrads.push(slot);
  }

  setOptions(options: Doubles, report: Doubles): void {
    this.#options = options;
    this.#report = report;
  }

  follow(): void {}

  step(): Failure | undefined {
    const prepared = this.prepare();
    if (typeof prepared !== 'function') return prepared;
    prepared();
    return undefined;
  }

  async stepAsync(): Promise<Failure | undefined> {
    return this.step();
  }

  cancelStep(): void {}

  /** Everything of a step that can fail; calling the result does it. */
  prepare(): Failure | (() => void) {
    const failure = this.verifyMemory();
    if (failure !== undefined) return failure;
    const plan = this.#plan();
    if ('kind' in plan) return plan;
    const options = this.#options;
    const list = plan.flatMap(({ slots }) => slots);
    const check = checkGradients(list as GradientOf[], options);
    const skips = check?.failed ?? false;
    if (skips) {
      const slot = this.#slots.indexOf(list[check!.firstNonFinite]!);
      if (options[OPTION.onNonFinite] === 2) return { kind: 'nonFinite', slot, other: STATE };
      if (this.#report![REPORT.consecutiveSkips]! >= options[OPTION.maxConsecutiveSkips]!) {
        return { kind: 'skips', slot, other: STATE };
      }
    }
    return () => {
      if (!skips) this.#run(plan, check?.coefficients);
      if (!skips && options[OPTION.zeroGradInStep] === 1)
        for (const { grad } of list) if (!isGone(grad!)) fillZero(grad!);
      if (this.#report !== undefined) report(this.#report, check, skips);
    };
  }

  #run(plan: readonly Run[], coefficients: readonly number[] | undefined): void {
    const scale = Math.fround(this.#options[OPTION.gradScale]!);
    const bound = Math.fround(this.#options[OPTION.clipValue]!);
    let at = 0;
    for (const run of plan) {
      const negate = run.struct[this.#maximize] === 1;
      for (const slot of run.slots) {
        const coefficient = coefficients?.[at++] ?? 1;
        const treatment = { scale, bound, coefficient, negate };
        updateSlot(this.#rule, run.scalars, slot as Arrays, treatment);
        slot.record.set(run.next); // at once: a user's own update may throw at the next slot
      }
    }
  }

  removeSlots(gone: Doubles): void {
    const numbers = Array.from(this.#slots.keys());
    const buffers = new Set<ArrayBufferLike>();
    for (let slot = gone[0]!, next = 0; slot < numbers.length; slot++) {
      buffers.add(this.#slots[slot]!.range.buffer);
      if (slot === gone[next]) next += 1;
      numbers[slot] = slot === gone[next - 1] ? NOBODY : slot - next;
    }
    const renumber = (slots: number[]) =>
      slots.map((slot) => numbers[slot]!).filter((slot) => slot !== NOBODY);
    this.#memory.renumber(buffers, numbers);
    takeOut(this.#slots, Array.from(gone));
    this.#movedData = renumber(this.#movedData);
    this.#movedGrads = renumber(this.#movedGrads);
  }

  replaceSlot(slot: number, data: Floats): Failure | undefined {
    const row = this.#slots[slot]!;
    const length = lengthOf(data);
    const range = wholeRange(data);
    const wasClaimed = this.#memory.release(row.range, slot);
    const other = this.#memory.claim(range, slot);
    if (other !== NOBODY) {
      if (wasClaimed) this.#memory.claim(row.range, slot);
      return { kind: 'dataOverlap', slot: this.#slots.length, other };
    }
    this.#slots[slot] = { ...row, data, grad: null, range, state: [], length };
    this.#allGradsMoved = true;
    return undefined;
  }

  dispose(): void {
    this.#slots.length = 0;
  }

  /** Arrays that came since the last step. What fails stays: the next step asks again. */
  verifyMemory(): Failure | undefined {
    for (let slot = this.#movedData.at(-1); slot !== undefined; slot = this.#movedData.at(-1)) {
      const other = this.#memory.claim(this.#slots[slot]!.range, slot);
      if (other !== NOBODY && other !== slot) return { kind: 'dataOverlap', slot, other };
      this.#movedData.pop();
    }
    const moved = this.#allGradsMoved ? this.#slots.keys() : this.#movedGrads;
    for (const slot of moved) {
      const { grad, length } = this.#slots[slot]!;
      const other = grad === null ? NOBODY : this.#memory.holder(rangeOf(grad, length * 4));
      if (other !== NOBODY) return { kind: 'gradOverlap', slot, other };
    }
    this.#allGradsMoved = false;
    this.#movedGrads = [];
    return undefined;
  }

  /** Everything that can fail, before anything is written. */
  #plan(): Run[] | Failure {
    const plan: Run[] = [];
    for (const [index, slot] of this.#slots.entries()) {
      if (slot.grad === null) continue;
      let run = plan.at(-1);
      if (run?.struct !== slot.struct || !sameRecord(run.record, slot.record)) {
        try {
          run = this.#openRun(slot);
        } catch (error) {
          if (!(error instanceof ScalarOverflow)) throw error;
          return { kind: 'overflow', slot: index, other: STATE };
        }
        plan.push(run);
      }
      run.slots.push(slot);
    }
    return plan;
  }

  #openRun({ struct, record }: Slot): Run {
    const [before, next] = [record.slice(), record.slice()];
    const scalars = this.#rule.prepare(struct, next);
    return { slots: [], struct, record: before, next, scalars };
  }
}

/** What the step says of itself. */
function report(to: Doubles, check: GradientCheck | undefined, skips: boolean): void {
  to[REPORT.stepped] = skips ? 0 : 1;
  to[REPORT.gradNorm] = check?.totalNorm ?? Number.NaN;
  to[REPORT.nonFinite] = check?.nonFinite ?? Number.NaN;
  to[REPORT.skipped]! += skips ? 1 : 0;
  to[REPORT.consecutiveSkips] = skips ? to[REPORT.consecutiveSkips]! + 1 : 0;
}

function sameRecord(a: Doubles, b: Doubles): boolean {
  return a.every((value, i) => value === b[i]);
}
