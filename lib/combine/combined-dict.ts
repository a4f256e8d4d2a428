/** The state dict of several optimizers that are combined. */

import { HasStateDict, type OwnLoad } from '../state-dict/has-state-dict.ts';
import type { OptimizerStateDict } from '../state-dict/optimizer-dict.ts';
import { field, readPlain, refuseDict } from '../state-dict/plain.ts';
import {
  joinReports,
  type LoadStateDictOptions,
  type PendingLoad,
  type StateDictOptions,
} from '../state-dict/stateful.ts';
import { describe } from '../support/describe.ts';

/** What `stateDict()` of combined optimizers gives: the state dict of each, in order. */
export interface CombinedStateDict {
  readonly type: 'CombinedOptimizer';
  readonly optimizers: readonly (OptimizerStateDict | CombinedStateDict)[];
}

/** An optimizer inside. */
interface Part {
  stateDict(options: StateDictOptions): OptimizerStateDict | CombinedStateDict;
  prepareLoad(dict: unknown, options: LoadStateDictOptions): PendingLoad;
}

/** What such a method adds would be lost in silence: state is loaded all or nothing, without it. */
function refuseOwnMethods(parts: readonly Part[]): void {
  const ours = HasStateDict.prototype;
  for (const part of parts) {
    const { stateDict, loadStateDict } = part as unknown as typeof ours;
    if (stateDict === ours.stateDict && loadStateDict === ours.loadStateDict) continue;
    refuseDict(
      'Expected combined optimizers without a stateDict or loadStateDict of their own: use ' +
        'registerStateDictPostHook() and registerLoadStateDictPostHook(), or save it by itself',
    );
  }
}

export function writeCombined(parts: readonly Part[], copy: boolean): CombinedStateDict {
  refuseOwnMethods(parts);
  return {
    type: 'CombinedOptimizer',
    optimizers: parts.map((part) => part.stateDict({ copy })),
  };
}

/** @throws {GradstepError} `ERR_STATE_DICT`, and what each optimizer refuses. */
export function prepareCombined(
  parts: readonly Part[],
  given: unknown,
  options: Required<LoadStateDictOptions>,
): OwnLoad {
  refuseOwnMethods(parts);
  const dicts = field(readPlain(given, 'the state dict'), 'optimizers');
  if (!Array.isArray(dicts) || dicts.length !== parts.length) {
    refuseDict(
      `Expected the state dicts of ${parts.length} combined optimizers but received ` +
        `${Array.isArray(dicts) ? dicts.length : describe(dicts)}`,
    );
  }
  const loads = parts.map((part, i) => part.prepareLoad(dicts[i], options));
  return {
    reserve() {
      for (const load of loads) load.reserve();
    },
    commit: () => joinReports(loads.map((load) => load.commit())),
    finish() {
      for (const load of loads) load.finish();
    },
  };
}
