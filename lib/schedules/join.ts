/** One schedule after the other. */

import { callable, listOf, real, refuse } from './arguments.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/**
 * Follows `schedules[0]` until step `milestones[0]`, then `schedules[1]`, and so on; each one
 * starts from its own step 0.
 *
 * ```ts
 * join([linear({ from: 0, to: 1, steps: 100 }), cosine({ steps: 900 })], [100])
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION` when there is not one milestone less than there
 * are schedules, or milestones do not increase.
 */
export function join(
  schedules: readonly ScheduleFunction[],
  milestones: readonly number[],
): ScheduleFunction {
  const parts = listOf(callable<ScheduleFunction>())(schedules, 'the schedules of join()');
  const starts = [0, ...listOf(real({ min: 0 }))(milestones, 'the milestones of join()')];
  if (parts.length !== starts.length) {
    refuse(milestones, `${parts.length - 1} milestones of join() for ${parts.length} schedules`);
  }
  starts.forEach((start, i) => {
    if (i > 0 && start < starts[i - 1]!) refuse(milestones, 'the milestones of join() to increase');
  });
  return scheduleFunction('join', [parts, starts.slice(1)], (step) => {
    const i = starts.findLastIndex((start) => start <= step);
    return parts[i]!(step - starts[i]!);
  });
}
