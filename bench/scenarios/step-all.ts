/** A thousand optimizers of small models: one `stepAll` against a `step()` of each. */

import { stepAll } from 'gradstep';
import { type Bench, forEachThreads, measure } from '../bench.ts';
import { subject } from '../measure.ts';
import { makeOptimizer, makeParameters } from '../model.ts';
import type { Workload } from '../workload.ts';

const LENGTHS = [49, 49, 49, 49];

const optimizer = 'AdamW';

export async function allAtOnce(bench: Bench, count = 1_000): Promise<void> {
  const name = `${count.toLocaleString('en-US')} optimizers`;
  const workload: Workload = { name, lengths: Array.from({ length: count }, () => LENGTHS).flat() };
  const optimizers = Array.from({ length: count }, () =>
    makeOptimizer(optimizer, makeParameters(LENGTHS, 'arena')),
  );
  const own = [
    subject('stepAll', () => stepAll(optimizers)),
    subject('step() of each', () => {
      for (const one of optimizers) one.step();
    }),
  ];
  await forEachThreads(bench, async (threads) => {
    await measure(bench, { work: name, optimizer, threads }, workload, own);
  });
  for (const one of optimizers) one.dispose();
}
