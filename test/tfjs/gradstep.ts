/** Helpers of other tests, for these. */

export { Parameter } from 'gradstep';
export { bits } from '../support/helpers.ts';

import { expect } from 'vitest';

/** The call throws a GradstepError with this code and a sentence like this. */
export function expectError(call: () => unknown, error: { code: string; message: RegExp }): void {
  let thrown: unknown;
  try {
    call();
  } catch (caught) {
    thrown = caught;
  }
  expect(thrown).toMatchObject({ name: 'GradstepError', code: error.code });
  expect((thrown as Error).message).toMatch(error.message);
}
