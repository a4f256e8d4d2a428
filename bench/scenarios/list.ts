/**
 * A list of parameters: against the limits over one flat parameter of the same total, that
 * parameter's own step, and everybody else.
 */

import { type Bench, closeAll, forEachThreads, measure, type Scenario } from '../bench.ts';
import { afterPauses, type Subject } from '../measure.ts';
import { OPTIMIZERS, type OptimizerName } from '../model.ts';
import { openPeers } from '../peers/peer.ts';
import { type Setting, SUBJECTS } from '../results.ts';
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
    await measure(bench, setting, workload, [...flat.limits(threads), ...own, ...others]);
    firstSteps(bench, workload, setting, flat);
    await besideTorch(bench, workload, setting, own);
  });
  await closeAll([...own, ...peers]);
}

/**
 * Apart from everybody else: whoever's turn it is, gradstep or torch, comes after another process
 * and a pause, with caches and clocks that are not warm. Both meet that alike.
 */
async function besideTorch(
  bench: Bench,
  workload: Workload,
  setting: Setting,
  own: readonly Subject[],
): Promise<void> {
  const { torch, quick, spell, results } = bench;
  if (torch === undefined || torch.hasEnded) return;
  const name = workload.lengths.length === 1 ? SUBJECTS.flat : SUBJECTS.separate;
  const mine = { ...own.find((subject) => subject.name === name)!, name: SUBJECTS.besideTorch };
  try {
    const others = await torch.subjects(workload, setting, quick || spell > 0);
    const plan = { seconds: (bench.plan.seconds * (1 + others.length)) / 4 };
    await measure({ ...bench, plan }, setting, workload, [mine, ...others]);
    await closeAll(others);
  } catch (error) {
    if (!torch.hasEnded) throw error;
    results.omit('torch', `it ended at ${workload.name}: ${(error as Error).message}`);
  }
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
