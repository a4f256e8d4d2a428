/** Thousands of small models in one optimizer, a group with an lr of its own for each. */

import type { ParameterLike } from 'gradstep';
import { type Bench, closeAll, forEachThreads, measure } from '../bench.ts';
import type { Subject } from '../measure.ts';
import { type Group, type Layout, makeOptimizer, makeParameters } from '../model.ts';
import { SUBJECTS } from '../results.ts';
import { openFlat, stepping } from '../subjects.ts';
import type { Workload } from '../workload.ts';

const PARAMETERS = 4; // of a model
const VALUES = 49; // of a parameter
const ADDING_ROUNDS = 8;

const optimizer = 'AdamW';

export async function groups(bench: Bench, count = 10_000): Promise<void> {
  const workload: Workload = {
    name: `${count.toLocaleString('en-US')} groups`,
    lengths: new Array<number>(PARAMETERS * count).fill(VALUES),
  };
  const flat = openFlat(bench, workload, optimizer);
  const own = [
    flat.step,
    ...(['arena', 'separate'] as const).map((layout) => added(bench, workload, layout)),
  ];
  await forEachThreads(bench, async (threads) => {
    const setting = { work: workload.name, optimizer, threads } as const;
    await measure(bench, setting, workload, [...flat.limits(threads), ...own]);
  });
  await closeAll(own);
}

/** An optimizer of all the groups, and on the way the times that adding them takes. */
function added({ results, spell }: Bench, workload: Workload, layout: Layout): Subject {
  const models = modelsOf(makeParameters(workload.lengths, layout));
  const times: number[] = [];
  let made = timed(times, models);
  while (times.length < ADDING_ROUNDS) {
    made.dispose();
    made = timed(times, models);
  }
  const setting = { work: workload.name, optimizer, threads: 1 } as const;
  results.add(setting, workload, `adding, ${SUBJECTS[layout]}`, spell, times);
  return stepping(SUBJECTS[layout], made);
}

function timed(times: number[], models: Group[]): ReturnType<typeof makeOptimizer> {
  globalThis.gc?.(); // what others left behind is not on this clock
  const start = process.hrtime.bigint();
  const made = makeOptimizer(optimizer, models);
  times.push(Number(process.hrtime.bigint() - start));
  return made;
}

function modelsOf(parameters: readonly ParameterLike[]): Group[] {
  return Array.from({ length: parameters.length / PARAMETERS }, (_, i) => ({
    params: parameters.slice(i * PARAMETERS, (i + 1) * PARAMETERS),
    lr: 1e-3 * (1 + i / parameters.length),
  }));
}
