/** What a schedule is: a plain function from the step number to a value, without memory. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { inspectable, inspectCall } from '../support/inspect.ts';

/**
 * The value at a step. Steps count from 0; fractions are allowed, since an epoch's progress may
 * be one. The same step always gives the same value, so a run resumes from its number alone.
 */
export type ScheduleFunction<T = number> = (step: number) => T;

/**
 * A schedule that checks its step, and is shown as the call that made it.
 * @internal
 */
export function scheduleFunction(
  name: string,
  args: readonly unknown[],
  value: (step: number) => number,
): ScheduleFunction {
  const at: ScheduleFunction = (step) => value(checkStep(step));
  Object.defineProperty(at, 'name', { value: name });
  return inspectable(at, inspectCall(name, args));
}

/** @internal */
export function checkStep(step: unknown, phrase = ''): number {
  if (typeof step === 'number' && Number.isFinite(step) && step >= 0) return step;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `${phrase && `${phrase} `}Expected a step to be a finite number >= 0 ` +
      `but received ${describe(step)}`,
  );
}
