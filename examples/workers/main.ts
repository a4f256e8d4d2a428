/** Trains the LeNet with 1, 2, … threads on one arena and shows that the bits are the same. */

import { parseArgs } from 'node:util';
import { DemoError } from '../lenet/demo-error.ts';
import { slice } from '../lenet/digits.ts';
import { readDigits } from '../lenet/mnist.ts';
import { CHUNKS, makeJob } from './job.ts';
import { run } from './run.ts';

const help = `Trains a LeNet data-parallel: threads share one ParameterArena, each computes the
gradients of its part of a batch, then sums and steps its shard. Any number of threads gives the
same bits.

Usage: node examples/dist/workers/main.js [--threads 2] [--steps 60] [--batch-size 64]
`;

function readOptions(): { threads: number; steps: number; batchSize: number } | undefined {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      threads: { type: 'string', default: '2' },
      steps: { type: 'string', default: '60' },
      'batch-size': { type: 'string', default: '64' },
    },
  });
  if (values.help) return undefined;
  const [threads, steps, batchSize] = [values.threads, values.steps, values['batch-size']].map(
    Number,
  ) as [number, number, number];
  const good = [threads, steps, batchSize].every((n) => Number.isSafeInteger(n) && n > 0);
  if (!good || batchSize % CHUNKS !== 0) {
    throw new DemoError(`Expected whole numbers, and a batch size that ${CHUNKS} divides.`);
  }
  return { threads, steps, batchSize };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return console.log(help);
  const digits = slice(readDigits('train'), 0, 20_000);
  const worker = new URL('./worker.js', import.meta.url);
  const digests = new Set<string>();
  for (let threads = 1; threads <= options.threads; threads++) {
    const job = makeJob({ ...options, threads, lr: 2e-3, seed: 1 }, digits);
    const { losses, digest, milliseconds } = await run(job, worker);
    digests.add(digest);
    console.log(
      `${threads} thread${threads > 1 ? 's' : ' '}  ${(milliseconds / 1000).toFixed(1)} s  ` +
        `loss ${losses[0]!.toFixed(3)} -> ${losses.at(-1)!.toFixed(3)}  ${digest.slice(0, 16)}`,
    );
  }
  console.log(digests.size === 1 ? 'The same bits every time.' : 'The bits differ!');
  process.exitCode = digests.size === 1 ? 0 : 1;
}

await main().catch((error: Error & { code?: string }) => {
  const expected = error instanceof DemoError || error.code?.startsWith('ERR_PARSE_ARGS');
  if (!expected) throw error;
  console.error(error.message);
  process.exitCode = 2;
});
