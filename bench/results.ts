/** All that was measured, as `--json` writes it; every figure can be had from it again. */

import type { Machine } from './machine.ts';
import type { Rounds } from './measure.ts';
import type { OptimizerName } from './model.ts';
import { valuesOf, type Workload } from './workload.ts';

/** What subjects were measured together. */
export interface Setting {
  readonly work: string;
  readonly optimizer: OptimizerName;
  readonly threads: number;
}

/** One subject in one setting. */
export interface Series extends Setting {
  readonly subject: string;
  readonly tensors: number;
  readonly values: number;
  /** Nanoseconds per step: by spell, then by round. */
  readonly spells: Rounds[];
}

/** What could not be measured, and why. */
export interface Omission {
  readonly what: string;
  readonly why: string;
}

export interface Measured {
  readonly machine: Machine;
  readonly date: string;
  readonly mode: 'full' | 'quick';
  readonly series: readonly Series[];
  readonly omissions: readonly Omission[];
}

/** Names of subjects that figures and targets ask for. */
export const SUBJECTS = {
  stream: 'stream',
  divider: 'divider',
  empty: 'empty step()',
  flat: 'gradstep, flat',
  arena: 'gradstep, arena',
  separate: 'gradstep, separate',
  clipped: 'gradstep, flat, clipped',
  usual: 'usual state',
  subnormal: 'subnormal state',
  flushed: 'subnormal state, flushed',
  besideTorch: 'gradstep, in turn with torch',
} as const;

export class Results {
  readonly series: Series[] = [];
  readonly omissions: Omission[] = [];

  /** Files the rounds of a spell. */
  add(setting: Setting, workload: Workload, subject: string, spell: number, rounds: Rounds): void {
    let series = find(this.series, setting, subject);
    if (series === undefined) {
      const values = valuesOf(workload);
      const tensors = workload.lengths.length;
      series = { ...setting, subject, tensors, values, spells: [] };
      this.series.push(series);
    }
    while (series.spells.length < spell) series.spells.push([]); // it was missing then
    series.spells[spell] = rounds;
  }

  /** Notes what is missing, once. */
  omit(what: string, why: string): void {
    if (!this.omissions.some((known) => known.what === what)) this.omissions.push({ what, why });
  }
}

/** One subject in one setting, if it was measured. */
export function find(
  all: readonly Series[],
  { work, optimizer, threads }: Setting,
  subject: string,
): Series | undefined {
  return all.find(
    (one) =>
      one.subject === subject &&
      one.work === work &&
      one.optimizer === optimizer &&
      one.threads === threads,
  );
}
