/** The functions of `LambdaLR` and `MultiplicativeLR`, one for each group. */

import type { ScheduleFunction } from '../schedules/schedule-function.ts';
import { GradstepError } from '../support/errors.ts';

export function lambdasFor(
  given: ScheduleFunction | readonly ScheduleFunction[],
  count: number,
): readonly ScheduleFunction[] {
  if (typeof given === 'function') return new Array<ScheduleFunction>(count).fill(given);
  if (given.length === count) return given;
  throw new GradstepError(
    'ERR_INVALID_OPTION',
    `Expected ${count} lr_lambdas, but got ${given.length}. ` +
      `Expected lrLambda to be one function, or one for each of ${count} groups, ` +
      `but received ${given.length}`,
  );
}
