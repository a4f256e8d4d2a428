/** What one step of an optimizer will do, and to which memory: `native/core/plan.cc` again. */

import type { Doubles, Floats } from '../../support/typed-arrays.ts';
import type { Failure } from '../backend.ts';
import { REPORT } from '../step-options.ts';
import type { SteppingRule } from './arithmetic.ts';
import type { GradientCheck } from './gradient-check.ts';
import { STATE } from './memory-map.ts';
import { ScalarOverflow } from './rules/rule.ts';
import type { Run, Slot } from './run.ts';

/** Counts are exact in a double up to 2^53, and the next one has to be. */
const isCount = (count: number) => count >= 0 && count < Number.MAX_SAFE_INTEGER;

/** A step of which everything that can fail has been done. */
export interface Prepared {
  readonly plan: readonly Run[];
  /** The slots that it steps, in order. */
  readonly list: readonly Slot[];
  readonly check: GradientCheck | undefined;
  readonly skips: boolean;
}

/** Everything that can fail, before anything is written. */
export function makePlan(rule: SteppingRule, slots: readonly Slot[]): Run[] | Failure {
  const plan: Run[] = [];
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index]!;
    if (slot.grad === null) continue;
    if (!isCount(slot.record[0]!)) return { kind: 'badCount', slot: index, other: STATE };
    let run = plan[plan.length - 1];
    if (run?.struct !== slot.struct || !sameRecord(run.record, slot.record)) {
      try {
        run = openRun(rule, slot);
      } catch (error) {
        if (!(error instanceof ScalarOverflow)) throw error;
        return { kind: 'overflow', slot: index, other: STATE };
      }
      plan[plan.length] = run;
    }
    run.slots[run.slots.length] = slot;
  }
  return plan;
}

function openRun(rule: SteppingRule, { struct, record }: Slot): Run {
  const [before, next] = [record.slice(), record.slice()];
  const scalars = rule.prepare(struct, next);
  return { slots: [], struct, record: before, next, scalars };
}

function sameRecord(a: Doubles, b: Doubles): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Every array that a step of these slots touches, and whose it is; the first ones are written. */
export function footprintOf(
  list: readonly Slot[],
  zeroes: boolean,
): { readonly arrays: Floats[]; readonly owners: Slot[]; readonly written: number } {
  const arrays: Floats[] = [];
  const owners: Slot[] = [];
  const add = (slot: Slot, array: Floats | undefined) => {
    if (array === undefined) return;
    owners[arrays.length] = slot;
    arrays[arrays.length] = array;
  };
  for (let i = 0; i < list.length; i++) {
    const slot = list[i]!;
    add(slot, slot.data);
    for (let k = 0; k < slot.state.length; k++) add(slot, slot.state[k]);
    if (zeroes) add(slot, slot.grad!);
  }
  const written = arrays.length;
  for (let i = 0; i < list.length && !zeroes; i++) add(list[i]!, list[i]!.grad!);
  return { arrays, owners, written };
}

/** The slots that a plan steps, in order. */
export function slotsOf(plan: readonly Run[]): readonly Slot[] {
  const list: Slot[] = [];
  for (let r = 0; r < plan.length; r++) {
    const { slots } = plan[r]!;
    for (let i = 0; i < slots.length; i++) list[list.length] = slots[i]!;
  }
  return list;
}

/** What the step says of itself. */
export function report(to: Doubles, check: GradientCheck | undefined, skips: boolean): void {
  to[REPORT.stepped] = skips ? 0 : 1;
  to[REPORT.gradNorm] = check?.totalNorm ?? Number.NaN;
  to[REPORT.nonFinite] = check?.nonFinite ?? Number.NaN;
  to[REPORT.skipped]! += skips ? 1 : 0;
  to[REPORT.consecutiveSkips] = skips ? to[REPORT.consecutiveSkips]! + 1 : 0;
}
