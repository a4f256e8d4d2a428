/** Failures of the core as errors with a sentence. */

import type { Failure } from '../backend/backend.ts';
import { GradstepError } from '../support/errors.ts';

/** @param labelOf What errors call the parameter of a slot. */
export function explain(
  { kind, slot, other }: Failure,
  labelOf: (slot: number) => string,
): GradstepError {
  const label = labelOf(slot);
  const owner = other < 0 ? "the optimizer's own state" : `data of parameter ${labelOf(other)}`;
  switch (kind) {
    case 'dataOverlap':
      return new GradstepError(
        'ERR_OVERLAP',
        `data of parameter ${label} shares memory with ${owner}; parameters must not overlap`,
      );
    case 'gradOverlap':
      return new GradstepError(
        'ERR_OVERLAP',
        `grad of parameter ${label} shares memory with ${owner}`,
      );
    case 'overflow':
      return new GradstepError(
        'ERR_OVERFLOW',
        'value cannot be converted to type float without overflow: the options of the group give ' +
          `parameter ${label} a step that float32 cannot hold`,
      );
    case 'nonFinite':
      return new GradstepError(
        'ERR_NON_FINITE',
        `The gradient of parameter ${label} has infinite or NaN values, or a norm that is, which ` +
          "onNonFinite: 'error' refuses",
      );
    case 'busy':
      return new GradstepError(
        'ERR_BUSY',
        `An asynchronous step is working on memory of parameter ${label}: await it first`,
      );
    case 'badCount':
      return new GradstepError(
        'ERR_OVERFLOW',
        `Steps are counted up to ${Number.MAX_SAFE_INTEGER}, and parameter ${label} has had as many`,
      );
    case 'memory':
      return new GradstepError(
        'ERR_OUT_OF_MEMORY',
        'The native core could not allocate what the step needs beside its arrays',
      );
    case 'skips':
      return new GradstepError(
        'ERR_NON_FINITE',
        'As many steps in a row as maxConsecutiveSkips allows were skipped, and the gradient of ' +
          `parameter ${label} still has infinite or NaN values, or a norm that is`,
      );
    default:
      return new GradstepError('ERR_INTERNAL', `Inconsistent state (${kind}) at ${label}`);
  }
}
