/** The usual mistake: a scheduler that steps before its optimizer does. */

import { steppableOf } from '../stepping/stepping.ts';
import { warn } from '../support/warn.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';

/**
 * Warns, once a process, at the second step of a scheduler, of which its constructor made the first, if the
 * optimizer has made none; as torch does.
 */
export function warnOfOrder(optimizer: SchedulableOptimizer, stepCount: number): void {
  if (stepCount !== 2 || steppableOf(optimizer)?.steps !== 0) return;
  warn(
    'WARN_SCHEDULER_ORDER',
    'Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value of the ' +
      'schedule is skipped. Call scheduler.step() after optimizer.step()',
  );
}
