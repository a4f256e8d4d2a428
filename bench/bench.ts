/** What every scenario is given: how long, against what, and where results go. */

import { setNumThreads } from 'gradstep';
import type { Limits } from './limits.ts';
import { interleave, type Plan, type Subject } from './measure.ts';
import type { LivePeer } from './peers/peer.ts';
import type { Results, Setting } from './results.ts';
import type { Workload } from './workload.ts';

export interface Bench {
  readonly limits: Limits;
  readonly isa: string;
  readonly results: Results;
  readonly peers: readonly LivePeer[];
  /** The command that runs Python with torch; empty where there is none. */
  readonly torch: string;
  readonly threads: readonly number[];
  readonly plan: Plan;
  readonly quick: boolean;
  /** Which of the passes over everything this is. */
  readonly spell: number;
}

/** One row of work: adds what it measures to the results. */
export type Scenario = (bench: Bench) => void;

/** Measures subjects against each other and files their rounds. */
export function measure(
  { results, plan, spell }: Bench,
  setting: Setting,
  workload: Workload,
  subjects: readonly Subject[],
): void {
  const rounds = interleave(subjects, plan);
  subjects.forEach(({ name }, i) => {
    results.add(setting, workload, name, spell, rounds[i]!);
  });
}

/** Calls `work` with each number of threads in force, and goes back to one. */
export function forEachThreads({ threads }: Bench, work: (count: number) => void): void {
  for (const count of threads) {
    setNumThreads(count);
    work(count);
  }
  setNumThreads(1);
}
