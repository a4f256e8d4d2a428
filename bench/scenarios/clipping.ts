/** What clipping by the norm of all gradients adds to a step. */

import { type Bench, closeAll, forEachThreads, measure, type Scenario } from '../bench.ts';
import { makeOptimizer, makeParameters, OPTIMIZERS, type OptimizerName } from '../model.ts';
import { SUBJECTS } from '../results.ts';
import { openFlat, stepping } from '../subjects.ts';
import { valuesOf, type Workload } from '../workload.ts';

export function clipping(workload: Workload): Scenario {
  return async (bench) => {
    for (const optimizer of OPTIMIZERS) await run(bench, workload, optimizer);
  };
}

async function run(bench: Bench, workload: Workload, optimizer: OptimizerName): Promise<void> {
  const flat = openFlat(bench, workload, optimizer);
  const parameters = makeParameters([valuesOf(workload)], 'arena');
  const clipped = stepping(
    SUBJECTS.clipped,
    makeOptimizer(optimizer, parameters, { maxGradNorm: 1 }),
  );
  await forEachThreads(bench, async (threads) => {
    const setting = { work: `${workload.name}, clipped`, optimizer, threads };
    await measure(bench, setting, workload, [...flat.limits(threads), flat.step, clipped]);
  });
  await closeAll([clipped, flat.step]);
}
