/** The options and groups of an optimizer as TensorFlow.js saves them with a model. */

import type { ParamGroup } from '../groups/param-group.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import type { AnyOptimizer, Members } from './members.ts';
import { type SavedSelection, Selection } from './selection.ts';

/** What `getConfig` gives: when a model is loaded, only strings called `name` come back whole. */
export interface OptimizerConfig {
  readonly name: string;
}

interface SavedConfig {
  readonly options: object;
  readonly groups: readonly { readonly params: SavedSelection; readonly group: object }[];
}

export function encodeConfig(optimizer: AnyOptimizer, members: Members): OptimizerConfig {
  const { defaults, stepOptions } = optimizer;
  const selections = members.save();
  const saved: SavedConfig = {
    options: { ...defaults, ...stepOptions },
    groups: optimizer.paramGroups.map((group, i) => ({
      params: selections[i]!,
      group: optionsOf(group),
    })),
  };
  return { name: JSON.stringify(saved, encodeInfinity) };
}

function optionsOf({ params: _, ...options }: ParamGroup<object>): object {
  return options;
}

/** JSON has no infinity. */
function encodeInfinity(_key: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? 'Infinity' : value;
}

function decodeInfinity(key: string, value: unknown): unknown {
  return value === 'Infinity' && key !== 'name' ? Number.POSITIVE_INFINITY : value;
}

/**
 * The arguments that make this optimizer again.
 * @throws {GradstepError} `ERR_STATE_DICT` for what `encodeConfig` did not write.
 */
export function decodeConfig(config: unknown): [groups: object[], options: object] {
  try {
    const { name } = config as OptimizerConfig;
    const { groups, options } = JSON.parse(name, decodeInfinity) as SavedConfig;
    return [
      groups.map(({ params, group }) => ({ params: Selection.restore(params), ...group })),
      options,
    ];
  } catch (cause) {
    throw new GradstepError(
      'ERR_STATE_DICT',
      `Expected the config of a gradstep optimizer but received ${describe(config)}`,
      { cause },
    );
  }
}
