/**
 * A list of parameters: against the limits over one flat parameter of the same total, that
 * parameter's own step, and everybody else.
 */

import { type Bench, forEachThreads, measure, type Scenario } from '../bench.ts';
import { afterPauses, type Subject } from '../measure.ts';
import { OPTIMIZERS, type OptimizerName } from '../model.ts';
import { openPeers } from '../peers/peer.ts';
import { measureTorch } from '../peers/torch.ts';
import type { Setting } from '../results.ts';
import { emptyStep, type Flat, listed, openFlat } from '../subjects.ts';
import { valuesOf, type Workload } from '../workload.ts';

/** Where a call is a share of the step that shows. */
const SMALL = 10_000;
/** Beyond this, ordinary arrays step like aligned ones, and memory is scarce. */
const ORDINARY = 1e6;
/** Beyond this, a pause makes no difference. */
const PAUSED = 1e7;
const PAUSES = 15;

export function list(workload: Workload): Scenario {
  return (bench) => {
    for (const optimizer of OPTIMIZERS) run(bench, workload, optimizer);
    measureTorch(bench, workload);
  };
}

function run(bench: Bench, workload: Workload, optimizer: OptimizerName): void {
  const flat = openFlat(bench, workload, optimizer);
  const own = [flat.step, ...layouts(workload, optimizer)];
  const peers = openPeers(bench.peers, workload, optimizer);
  forEachThreads(bench, (threads) => {
    const setting = { work: workload.name, optimizer, threads };
    const others = threads === 1 ? peers : [];
    measure(bench, setting, workload, [...flat.limits(threads), ...own, ...others]);
    firstSteps(bench, workload, setting, flat);
  });
  for (const { close } of [...own, ...peers]) close?.();
}

/** The list as one arena and as separate arrays; of a single parameter, the latter alone. */
function layouts(workload: Workload, optimizer: OptimizerName): Subject[] {
  const subjects: Subject[] = [];
  const single = workload.lengths.length === 1;
  const values = valuesOf(workload);
  if (!single) subjects.push(listed(workload, optimizer, 'arena'));
  if (!single || values <= ORDINARY) subjects.push(listed(workload, optimizer, 'separate'));
  if (single && values <= SMALL) subjects.push(emptyStep(optimizer));
  return subjects;
}

function firstSteps(bench: Bench, workload: Workload, setting: Setting, { optimizer, step }: Flat) {
  if (valuesOf(workload) > PAUSED) return;
  const rounds = afterPauses(() => optimizer.step(), PAUSES);
  bench.results.add(setting, workload, `${step.name}, after a pause`, bench.spell, rounds);
}
