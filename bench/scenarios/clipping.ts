/** What clipping by the norm of all gradients adds to a step. */

import { type Bench, forEachThreads, measure, type Scenario } from '../bench.ts';
import type { Subject } from '../measure.ts';
import { makeOptimizer, makeParameters, OPTIMIZERS, type OptimizerName } from '../model.ts';
import { openFlat, stepping } from '../subjects.ts';
import { valuesOf, type Workload } from '../workload.ts';

export const CLIPPED = 'gradstep, flat, clipped';

export function clipping(workload: Workload): Scenario {
  return (bench) => {
    for (const optimizer of OPTIMIZERS) run(bench, workload, optimizer);
  };
}

function run(bench: Bench, workload: Workload, optimizer: OptimizerName): void {
  const clipped = openClipped(bench, workload, optimizer);
  if (clipped === undefined) return;
  const flat = openFlat(bench, workload, optimizer);
  forEachThreads(bench, (threads) => {
    const setting = { work: `${workload.name}, clipped`, optimizer, threads };
    measure(bench, setting, workload, [...flat.limits(threads), flat.step, clipped]);
  });
  clipped.close?.();
  flat.step.close?.();
}

function openClipped(
  { results }: Bench,
  workload: Workload,
  optimizer: OptimizerName,
): Subject | undefined {
  const parameters = makeParameters([valuesOf(workload)], 'arena');
  try {
    return stepping(CLIPPED, makeOptimizer(optimizer, parameters, { maxGradNorm: 1 }));
  } catch (error) {
    results.omit('clipping', `this gradstep has no maxGradNorm: ${(error as Error).message}`);
    return undefined;
  }
}
