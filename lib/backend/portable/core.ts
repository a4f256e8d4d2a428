/**
 * One optimizer of the backends in TypeScript, `portable` and `wasm`: `native/core/optimizer.cc`
 * again.
 */

import { takeOut } from '../../support/lists.ts';
import {
  type Doubles,
  type Floats,
  fillZero,
  isFloat32Array,
  isGone,
  lengthOf,
  viewOf,
} from '../../support/typed-arrays.ts';
import type { ArrayPairs, Core, Failure } from '../backend.ts';
import { findBusy, isWatched, releaseBusy, takeBusy } from '../busy-memory.ts';
import { OPTION, PLAIN_OPTIONS, REPORT } from '../step-options.ts';
import type { Arithmetic, SteppingRule } from './arithmetic.ts';
import { checkGradients, type GradientOf } from './gradient-check.ts';
import { MemoryMap, NOBODY, rangeOf, STATE, wholeRange } from './memory-map.ts';
import { footprintOf, makePlan, type Prepared, report, slotsOf } from './plan.ts';
import type { Run, Slot } from './run.ts';

export class PortableCore implements Core {
  readonly #rule: SteppingRule;
  readonly #arithmetic: Arithmetic;
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
  #prepared: Prepared | undefined;
  /** The memory of the prepared step, where the process has a register of it. */
  #hold: object | undefined;

  constructor(rule: SteppingRule, arithmetic: Arithmetic) {
    this.#rule = rule;
    this.#arithmetic = arithmetic;
    this.#maximize = rule.isOwn ? -1 : rule.fields.indexOf('maximize');
  }

  claimState(bytes: Uint8Array<ArrayBufferLike>): void {
    this.#memory.claim(rangeOf(bytes, lengthOf(bytes)), STATE);
  }

  releaseState(bytes: Uint8Array<ArrayBufferLike>): void {
    this.#memory.release(rangeOf(bytes, lengthOf(bytes)), STATE);
  }

  addGroup(struct: Doubles, records: Doubles, data: readonly Floats[]): Failure | undefined {
    const { length } = this.#slots;
    const failure = this.insertSlots(length, this.#groups, struct, records, data);
    if (failure === undefined) this.#groups += 1;
    return failure;
  }

  insertSlots(
    first: number,
    group: number,
    struct: Doubles,
    records: Doubles,
    data: readonly Floats[],
  ): Failure | undefined {
    const failure = this.#claimAll(data);
    if (failure !== undefined) return failure;
    const size = this.#rule.record.length;
    const fresh = data.map((array, at): Slot => {
      const record = records.subarray(at * size, (at + 1) * size);
      const [range, length] = [wholeRange(array), lengthOf(array)];
      const shape = { length, rows: 0, columns: 0 };
      return { group, data: array, grad: null, range, state: [], ...shape, struct, record };
    });
    const count = this.#slots.length;
    const [behind, all] = [this.#slots.splice(first), fresh.length];
    for (const list of [fresh, behind]) for (const slot of list) this.#slots.push(slot);
    if (behind.length > 0) {
      const numberOf = (slot: number) =>
        slot < first ? slot : slot < count ? slot + all : slot - count + first;
      const buffers = new Set([...behind, ...fresh].map(({ range }) => range.buffer));
      this.#memory.renumber(
        buffers,
        Array.from({ length: count + all }, (_, i) => numberOf(i)),
      );
      this.#movedData = this.#movedData.map(numberOf);
      this.#movedGrads = this.#movedGrads.map(numberOf);
    }
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

  setShape(slot: number, rows: number, columns: number): void {
    this.#slots[slot]!.rows = rows;
    this.#slots[slot]!.columns = columns;
  }

  setPieces(slot: number, pieces: Doubles): void {
    this.#slots[slot]!.pieces = pieces;
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
      const length = this.#rule.stateLength?.(slot, which) ?? slot.length;
      const isWhole = lengthOf(memory) === length;
      const array = isWhole ? memory : viewOf(memory, places[2 * i + 1]!, length);
      slot.state[which] = array;
      return array;
    });
  }

  setArrays(field: 'data' | 'grad', pairs: ArrayPairs): number | undefined {
    for (let i = 0; i < pairs.length; i += 2) {
      const slot = pairs[i] as number;
      const array = pairs[i + 1] as Floats | null;
      const isNone = field === 'grad' && array === null;
      const fits = isFloat32Array(array) && lengthOf(array) === this.#slots[slot]!.length;
      if (!(isNone || fits)) return i / 2;
    }
    for (let i = 0; i < pairs.length; i += 2) {
      const [slot, array] = [pairs[i] as number, pairs[i + 1] as Floats | null];
      if (field === 'grad') this.setGrad(slot, array);
      else this.#setData(slot, array!);
    }
    return undefined;
  }

  #setData(slot: number, data: Floats): void {
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

  step(): Failure | undefined {
    const failure = this.prepare();
    if (failure === undefined && this.run()) this.zeroGrads();
    return failure;
  }

  /** Everything of a step that can fail; `run` or `cancel` comes next. */
  prepare(): Failure | undefined {
    const failure = this.#prepare();
    if (failure !== undefined) this.cancel();
    return failure;
  }

  #prepare(): Failure | undefined {
    const failure = this.verifyMemory(false);
    if (failure !== undefined) return failure;
    const plan = makePlan(this.#rule, this.#slots);
    if ('kind' in plan) return plan;
    const options = this.#options;
    const list = slotsOf(plan);
    const busy = this.#takeMemory(list);
    if (busy !== undefined) return busy;
    const check = checkGradients(list as readonly GradientOf[], options, this.#arithmetic);
    const skips = check?.failed ?? false;
    if (skips) {
      const slot = this.#slots.indexOf(list[check!.firstNonFinite]!);
      if (options[OPTION.onNonFinite] === 2) return { kind: 'nonFinite', slot, other: STATE };
      if (this.#report![REPORT.consecutiveSkips]! >= options[OPTION.maxConsecutiveSkips]!) {
        return { kind: 'skips', slot, other: STATE };
      }
    }
    this.#prepared = { plan, list, check, skips };
    return undefined;
  }

  /** The rest of the step, but for zeroing gradients; whether it moved anything, not skipped. */
  run(): boolean {
    const { plan, check, skips } = this.#prepared!;
    try {
      if (!skips) this.#run(plan, check?.coefficients);
    } finally {
      this.cancel();
    }
    if (this.#report !== undefined) report(this.#report, check, skips);
    return !skips;
  }

  /** Ends what `prepare` began. */
  cancel(): void {
    this.#prepared = undefined;
    if (this.#hold !== undefined) releaseBusy(this.#hold);
    this.#hold = undefined;
  }

  /** Where the options ask for it: the gradients of all slots that a step has just moved. */
  zeroGrads(): void {
    if (this.#options[OPTION.zeroGradInStep] !== 1) return;
    for (let i = 0; i < this.#slots.length; i++) {
      const { grad, length } = this.#slots[i]!;
      if (grad !== null && !isGone(grad)) fillZero(grad, 0, length);
    }
  }

  /** Takes what the step reads and writes, so that none in the background begins over it. */
  #takeMemory(list: readonly Slot[]): Failure | undefined {
    if (!this.#rule.isOwn && !isWatched()) return undefined;
    const zeroes = this.#options[OPTION.zeroGradInStep] === 1;
    const { arrays, owners, written } = footprintOf(list, zeroes);
    const taken = takeBusy(arrays, written);
    if (typeof taken === 'number') {
      return { kind: 'busy', slot: this.#slots.indexOf(owners[taken]!), other: STATE };
    }
    this.#hold = taken;
    return undefined;
  }

  #run(plan: readonly Run[], coefficients: readonly number[] | undefined): void {
    const scale = Math.fround(this.#options[OPTION.gradScale]!);
    const bound = Math.fround(this.#options[OPTION.clipValue]!);
    let first = 0;
    for (let r = 0; r < plan.length; r++) {
      const run = plan[r]!;
      const negate = run.struct[this.#maximize] === 1;
      this.#rule.step(run, { scale, bound, coefficients }, first, negate);
      first += run.slots.length;
    }
  }

  removeSlots(gone: Doubles): void {
    const numbers = Array.from(this.#slots.keys());
    const buffers = new Set<object>();
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
    const { pieces: _, ...kept } = row; // those of the data that was here
    const shape = { length, rows: 0, columns: 0 };
    this.#slots[slot] = { ...kept, data, grad: null, range, state: [], ...shape };
    this.#allGradsMoved = true;
    return undefined;
  }

  dispose(): void {
    this.#slots.length = 0;
  }

  /** Arrays that came since the last step. What fails stays: the next step asks again. */
  verifyMemory(writing: boolean): Failure | undefined {
    const moved = this.#movedData;
    for (; moved.length > 0; moved.length -= 1) {
      const slot = moved[moved.length - 1]!;
      const other = this.#memory.claim(this.#slots[slot]!.range, slot);
      if (other !== NOBODY && other !== slot) return { kind: 'dataOverlap', slot, other };
    }
    return this.#verifyGrads() ?? (writing ? this.#verifyIdle() : undefined);
  }

  #verifyGrads(): Failure | undefined {
    const moved = this.#allGradsMoved ? undefined : this.#movedGrads;
    const count = moved === undefined ? this.#slots.length : moved.length;
    for (let i = 0; i < count; i++) {
      const slot = moved === undefined ? i : moved[i]!;
      const { grad, length } = this.#slots[slot]!;
      const other = grad === null ? NOBODY : this.#memory.holder(rangeOf(grad, length * 4));
      if (other !== NOBODY) return { kind: 'gradOverlap', slot, other };
    }
    this.#allGradsMoved = false;
    this.#movedGrads = [];
    return undefined;
  }

  /** Refuses what a step in the background is working on. */
  #verifyIdle(): Failure | undefined {
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const { data, grad } = this.#slots[slot]!;
      const arrays = grad === null ? [data] : [data, grad];
      if (findBusy(arrays, arrays.length) >= 0) return { kind: 'busy', slot, other: STATE };
    }
    return undefined;
  }
}
