/** Measures every row, several times over. */

import { isa } from 'gradstep';
import type { Bench } from './bench.ts';
import { loadLimits } from './limits.ts';
import { describeMachine } from './machine.ts';
import { OPTIMIZERS } from './model.ts';
import type { Options } from './options.ts';
import { peers } from './peers/index.ts';
import { loadPeers } from './peers/peer.ts';
import { Torch } from './peers/torch.ts';
import { type Measured, Results } from './results.ts';
import type { Row } from './scenarios/index.ts';
import { listed } from './subjects.ts';
import { many } from './workload.ts';

/** Seconds for what is measured together. */
const SECONDS = { full: 1, quick: 0.2 };

const WARM_UP_STEPS = 20_000;

export async function run(
  rows: readonly Row[],
  { quick, only, spells, torch }: Options,
  say: (progress: string) => void,
): Promise<Measured> {
  const results = new Results();
  const mode = quick ? 'quick' : 'full';
  const bench: Omit<Bench, 'spell'> = {
    limits: loadLimits(),
    isa: isa(),
    results,
    peers: await loadPeers(peers, results),
    torch: await openTorch(torch, results),
    threads: [1, 2],
    plan: { seconds: SECONDS[mode] },
    quick,
  };
  try {
    await warmUp();
    await runRows(rows, bench, { quick, only, spells }, say);
  } finally {
    bench.torch?.close();
  }
  const { series, omissions } = results;
  return { machine: describeMachine(), date: today(), mode, series, omissions };
}

async function openTorch(command: string, results: Results): Promise<Torch | undefined> {
  if (command === '') {
    results.omit('torch', 'no command: --torch or GRADSTEP_BENCH_TORCH names one');
    return undefined;
  }
  try {
    return await Torch.open(command);
  } catch (error) {
    results.omit('torch', (error as Error).message);
    return undefined;
  }
}

async function runRows(
  rows: readonly Row[],
  bench: Omit<Bench, 'spell'>,
  { quick, only, spells }: Pick<Options, 'quick' | 'only' | 'spells'>,
  say: (progress: string) => void,
): Promise<void> {
  const chosen = rows.filter((row) => (row.quick || !quick) && row.name.includes(only));
  for (let spell = 0; spell < spells; spell++) {
    for (const row of chosen) {
      say(`spell ${spell + 1} of ${spells}: ${row.name}`);
      await row.run({ ...bench, spell });
      await new Promise(setImmediate); // what was closed can be collected from here on
      globalThis.gc?.();
    }
  }
}

/** Lets the engine compile all of `step()` before anything is timed. */
async function warmUp(): Promise<void> {
  const workload = many(20, 16);
  for (const optimizer of OPTIMIZERS) {
    for (const layout of ['arena', 'separate'] as const) {
      const { run, close } = listed(workload, optimizer, layout);
      await run(WARM_UP_STEPS);
      await close?.();
    }
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
