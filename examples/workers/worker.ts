/** A thread of the run: does its part and ends. */

import { workerData } from 'node:worker_threads';
import { type Job, work } from './job.ts';

const { job, me } = workerData as { job: Job; me: number };
for (const _loss of work(job, me)) {
  // The main thread, which works too, shows the losses.
}
