/** What this gradstep can do beyond stepping one optimizer. */

import * as gradstep from 'gradstep';

interface Features {
  stepAll?(optimizers: readonly gradstep.Optimizer[]): void;
}

export const { stepAll } = gradstep as unknown as Features;
