/** Parameter groups in torch's names and in ours. */

import { describe } from '../support/describe.ts';
import type { OptimizerStateDict, SavedGroup } from './optimizer-dict.ts';
import { field, isPlainObject, type PlainObject, readPlain, refuseDict } from './plain.ts';

/** Of torch's keys those that say how it computes, or that its schedulers leave for themselves. */
const IGNORED: readonly string[] = [
  'foreach',
  'fused',
  'capturable',
  'differentiable',
  'max_lr',
  'min_lr',
  'max_momentum',
  'base_momentum',
  'swa_lr',
];

/** `expAvgSq` is `exp_avg_sq`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `exp_avg_sq` is `expAvgSq`. */
export function camel(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** The groups as JSON that torch's `load_state_dict` takes. */
export function writeTorchGroups({ paramGroups, parameters }: OptimizerStateDict): string {
  const names = parameters?.map(({ name }) => name) ?? [undefined];
  const groups = paramGroups.map(({ params, paramNames, initialValues, ...options }) => {
    const group = Object.entries(options).map(([key, value]) => [snake(key), value]);
    const given = names.includes(undefined) ? paramNames : params.map((id) => names[id]);
    return {
      ...Object.fromEntries(group),
      ...(initialValues?.lr !== undefined && { initial_lr: initialValues.lr }),
      params,
      ...(given && { param_names: given }),
    };
  });
  return JSON.stringify(groups);
}

/** A list of torch's groups in our names, and the class that they are of. */
export interface TorchGroups {
  readonly type: string | undefined;
  readonly groups: readonly (SavedGroup & PlainObject)[];
}

/**
 * @param type The class, if it is known.
 * @throws {GradstepError} `ERR_STATE_DICT`.
 */
export function readTorchGroups(json: string, type: string | undefined): TorchGroups {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    refuseDict(`Expected param_groups as JSON but received ${describe(json)}: ${cause}`);
  }
  const { groups } = readPlain({ groups: parsed }, 'param_groups');
  if (!Array.isArray(groups) || !groups.every(isPlainObject)) {
    return refuseDict(`Expected param_groups to be a list of groups but received ${json}`);
  }
  // Newer torch: AdamW is an Adam that decouples, and both say which they are.
  const isAdam = type === 'Adam' || type === 'AdamW';
  const decoupled = isAdam && groups.some((group) => group.decoupled_weight_decay === true);
  const ignored = isAdam ? [...IGNORED, 'decoupled_weight_decay'] : IGNORED;
  return {
    type: decoupled ? 'AdamW' : type,
    groups: groups.map((group) => readTorchGroup(group, ignored)),
  };
}

function readTorchGroup(group: PlainObject, ignored: readonly string[]): SavedGroup & PlainObject {
  const { params, initial_lr: initialLr, ...options } = group;
  const kept = Object.entries(options).filter(([key]) => !ignored.includes(key));
  return {
    params: params as number[],
    ...Object.fromEntries(kept.map(([key, value]) => [camel(key), value])),
    ...(field(group, 'initial_lr') !== undefined && { initialValues: { lr: initialLr as number } }),
  };
}
