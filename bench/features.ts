/** What this gradstep can do beyond stepping one optimizer on one thread. */

import * as gradstep from 'gradstep';

interface Features {
  setNumThreads?(count: number): void;
  stepAll?(optimizers: readonly gradstep.Optimizer[]): void;
}

const features = gradstep as unknown as Features;

/** Sets the threads of all steps to come; false where steps have one thread and no more. */
export function setThreads(count: number): boolean {
  features.setNumThreads?.(count);
  return count === 1 || features.setNumThreads !== undefined;
}

export const { stepAll } = features;
