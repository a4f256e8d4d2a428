/** Runs a job on several threads: workers, and the calling thread as one of them. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ParameterArena } from 'gradstep';
import { type Job, work } from './job.ts';

export interface Result {
  readonly losses: readonly number[];
  /** SHA-256 of the arena's bits: equal for every number of threads. */
  readonly digest: string;
  readonly milliseconds: number;
}

/** @param workerUrl The compiled `worker.ts`. */
export async function run(job: Job, workerUrl: URL): Promise<Result> {
  const workers = Array.from(
    { length: job.threads - 1 },
    (_, i) => new Worker(workerUrl, { workerData: { job, me: i + 1 } }),
  );
  // A worker that could not start would leave the others waiting for ever.
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  const ended = workers.map((worker) => once(worker, 'exit'));
  const start = performance.now();
  const losses = [...work(job, 0)];
  const milliseconds = performance.now() - start;
  await Promise.all(ended);
  const { data } = ParameterArena.open(job.arena);
  const digest = createHash('sha256').update(new Uint8Array(data.slice().buffer)).digest('hex');
  return { losses, digest, milliseconds };
}
