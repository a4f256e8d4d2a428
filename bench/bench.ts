/** What every scenario is given: how long, against what, and where results go. */

import { setNumThreads } from 'gradstep';
import type { Limits } from './limits.ts';
import { interleave, type Plan, type Subject } from './measure.ts';
import type { LivePeer } from './peers/peer.ts';
import type { Torch } from './peers/torch.ts';
import type { Results, Setting } from './results.ts';
import type { Workload } from './workload.ts';

export interface Bench {
  readonly limits: Limits;
  readonly isa: string;
  readonly results: Results;
  readonly peers: readonly LivePeer[];
  /** Undefined where there is none. */
  readonly torch: Torch | undefined;
  readonly threads: readonly number[];
  readonly plan: Plan;
  readonly quick: boolean;
  /** Which of the passes over everything this is. */
  readonly spell: number;
}

/** One row of work: adds what it measures to the results. */
export type Scenario = (bench: Bench) => Promise<void>;

/** Measures subjects against each other and files their rounds. */
export async function measure(
  { results, plan, spell }: Bench,
  setting: Setting,
  workload: Workload,
  subjects: readonly Subject[],
): Promise<void> {
  const rounds = await interleave(subjects, plan);
  subjects.forEach(({ name }, i) => {
    results.add(setting, workload, name, spell, rounds[i]!);
  });
}

/** Closes what has an end. */
export async function closeAll(subjects: readonly Subject[]): Promise<void> {
  for (const { close } of subjects) await close?.();
}

/** Calls `work` with each number of threads in force, and goes back to one. */
export async function forEachThreads(
  { threads }: Bench,
  work: (count: number) => Promise<void>,
): Promise<void> {
  for (const count of threads) {
    setNumThreads(count);
    await work(count);
  }
  setNumThreads(1);
}
