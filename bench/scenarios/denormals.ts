/** What state below 1.2e-38 costs, and what `flushDenormals` makes of that. */

import type { Optimizer } from 'gradstep';
import { type Bench, closeAll, measure, type Scenario } from '../bench.ts';
import { arraysOf, makeOptimizer, makeParameters } from '../model.ts';
import { SUBJECTS } from '../results.ts';
import { stepping } from '../subjects.ts';
import { valuesOf, type Workload } from '../workload.ts';

const optimizer = 'AdamW';

/** Of a magnitude that decay no longer changes: it is rounded back to where it was. */
const SUBNORMAL = 4e-45;

export function denormals(workload: Workload): Scenario {
  return (bench) => run(bench, workload);
}

async function run(bench: Bench, workload: Workload): Promise<void> {
  const subjects = [
    stepping(SUBJECTS.usual, makeOptimizer(optimizer, makeParameters(workload.lengths, 'arena'))),
    stepping(SUBJECTS.subnormal, fadedOut(valuesOf(workload), {})),
    stepping(SUBJECTS.flushed, fadedOut(valuesOf(workload), { flushDenormals: true })),
  ];
  await measure(bench, { work: workload.name, optimizer, threads: 1 }, workload, subjects);
  await closeAll(subjects);
}

/** An optimizer whose gradients have been zero for so long that its state is all but gone. */
function fadedOut(values: number, options: object): Optimizer {
  const [parameter] = makeParameters([values], 'arena');
  const made = makeOptimizer(optimizer, [parameter!], options);
  const [, grad, ...state] = arraysOf(made, parameter!);
  grad!.fill(0);
  for (const array of state) array.fill(SUBNORMAL);
  return made;
}
