/**
 * A list of parameters: against the limits over one flat parameter of the same total, that
 * parameter's own step, and everybody else.
 */

import { type Bench, closeAll, forEachThreads, measure, type Scenario } from '../bench.ts';
import { afterPauses, type Subject } from '../measure.ts';
import { OPTIMIZERS, type OptimizerName } from '../model.ts';
import { openPeers } from '../peers/peer.ts';
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
  return async (bench) => {
    for (const optimizer of OPTIMIZERS) await run(bench, workload, optimizer);
  };
}

async function run(bench: Bench, workload: Workload, optimizer: OptimizerName): Promise<void> {
  const flat = openFlat(bench, workload, optimizer);
  const own = [flat.step, ...layouts(workload, optimizer)];
  const peers = openPeers(bench.peers, workload, optimizer);
  await forEachThreads(bench, async (threads) => {
    const setting = { work: workload.name, optimizer, threads };
    const others = threads === 1 ? peers : [];
    const torch = await openTorch(bench, workload, optimizer, threads);
    await measure(longer(bench, torch.length), setting, workload, [
      ...flat.limits(threads),
      ...own,
      ...others,
      ...torch,
    ]);
    firstSteps(bench, workload, setting, flat);
    await closeAll(torch);
  });
  await closeAll([...own, ...peers]);
}

async function openTorch(
  { torch, quick, spell }: Bench,
  workload: Workload,
  optimizer: OptimizerName,
  threads: number,
): Promise<Subject[]> {
  return (await torch?.subjects(workload, optimizer, threads, quick || spell > 0)) ?? [];
}

/** With a quarter of the time more for each of so many subjects. */
function longer(bench: Bench, more: number): Bench {
  return { ...bench, plan: { seconds: bench.plan.seconds * (1 + more / 4) } };
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
