/** How many threads steps may use. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { activeBackend } from './active.ts';

const MOST = 256;

/** How many threads a step may use, the calling one among them; 1 on the portable backend. */
export function getNumThreads(): number {
  return activeBackend().threads();
}

/**
 * Lets steps use up to `count` threads, the calling one among them, from now on and in the whole
 * process (torch.set_num_threads). The bits do not depend on it. `GRADSTEP_NUM_THREADS` says it
 * from the start; the default is the number of physical cores that the process may use. The
 * portable backend always uses one.
 *
 * Small steps stay on the calling thread: below 8,192 values two threads are no faster, and below
 * 400,000 a helper that sleeps would come too late. Helpers look for more work for 40 µs after
 * a step, so that steps which follow each other closely share theirs from 8,192 values on.
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` unless `count` is an integer from 1 to 256.
 */
export function setNumThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > MOST) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected a number of threads from 1 to ${MOST} but received ${describe(count)}`,
    );
  }
  activeBackend().setThreads(count);
}
