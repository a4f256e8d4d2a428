/** Momentum as the cyclic schedules move it: `momentum`, or the first of `betas`. */

import { GradstepError } from '../support/errors.ts';
import type { SchedulableGroup, SchedulableOptimizer } from './scheduled-groups.ts';

interface WithMomentum {
  momentum?: number;
  betas?: readonly [number, number];
}

/** Refuses to cycle what an optimizer does not have. */
export function checkMomentum(optimizer: SchedulableOptimizer): void {
  // Of optimizers that are combined, one may have momentum and another betas.
  const { defaults, paramGroups } = optimizer;
  const has = (options: object) => 'momentum' in options || 'betas' in options;
  if (has(defaults) || (paramGroups.length > 0 && paramGroups.every(has))) return;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    'optimizer must support momentum or beta1 with `cycle_momentum` option enabled. ' +
      'Set cycleMomentum to false for this one',
  );
}

export function momentumOf(group: SchedulableGroup): number | undefined {
  const { betas, momentum } = group as WithMomentum;
  return betas === undefined ? momentum : betas[0];
}

export function setMomentum(group: SchedulableGroup, value: number): void {
  const target = group as WithMomentum;
  if (target.betas === undefined) target.momentum = value;
  else target.betas = [value, target.betas[1]];
}
