/**
 * PyTorch on its CPU, with Python around it as its users have it. It runs in a process of its own
 * right after gradstep's rounds of the same work; torch_peer.py is what runs there.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { OPTIMIZERS, type OptimizerName, SETTINGS } from '../model.ts';
import { root } from '../root.ts';
import { valuesOf, type Workload } from '../workload.ts';

/** The three ways in which torch.optim steps. */
type Variant = 'loop' | 'foreach' | 'fused';

/** What torch_peer.py prints: a line for each. */
interface Timing {
  readonly optimizer: OptimizerName;
  readonly variant: Variant;
  readonly threads: number;
  /** Nanoseconds per step, burst by burst. */
  readonly rounds: number[];
}

/** Beyond this the unfused ways take seconds a step; they are measured in the first spell only. */
const FUSED_ONLY = 3e7;

export function measureTorch(bench: Bench, workload: Workload): void {
  if (bench.torch === '') return;
  const short = bench.quick || bench.spell > 0 || valuesOf(workload) > FUSED_ONLY;
  const variants: Variant[] = short ? ['fused'] : ['loop', 'foreach', 'fused'];
  const job = {
    lengths: runsOf(workload.lengths),
    optimizers: OPTIMIZERS,
    settings: SETTINGS,
    threads: bench.threads,
    variants,
    seconds: bench.plan.seconds / 4,
  };
  for (const timing of runTorch(bench, job)) {
    const { optimizer, threads, variant, rounds } = timing;
    const setting = { work: workload.name, optimizer, threads };
    bench.results.add(setting, workload, `torch ${variant}`, bench.spell, rounds);
  }
}

function runTorch({ torch, results }: Bench, job: object): Timing[] {
  const [program, ...args] = torch.split(/\s+/);
  const script = join(root, 'bench', 'peers', 'torch_peer.py');
  const { status, stdout, stderr, error } = spawnSync(
    program!,
    [...args, script, JSON.stringify(job)],
    { encoding: 'utf8' },
  );
  if (status !== 0) {
    const reason = error?.message ?? (stderr.trim().split('\n').at(-1) || `status ${status}`);
    results.omit('torch', `'${torch}' failed: ${reason}`);
    return [];
  }
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Timing);
}

/** Lengths as [length, how many of it], for a short command line. */
function runsOf(lengths: readonly number[]): [length: number, count: number][] {
  const runs: [number, number][] = [];
  for (const length of lengths) {
    const last = runs.at(-1);
    if (last?.[0] === length) last[1] += 1;
    else runs.push([length, 1]);
  }
  return runs;
}
