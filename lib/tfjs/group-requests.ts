/** The arguments of `optim.adamw(…)`: options alone, variables and options, or groups and options. */

import { isIterable, isObject } from '../parameters/list-params.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isVariablesInput, Selection, type VariablesInput } from './selection.ts';

/** A group as it is asked for: which variables, and everything else that a group may have. */
export interface GroupRequest {
  readonly selection: Selection;
  readonly group: { readonly [key: string]: unknown };
}

/** What the constructor of a bound optimizer is given. */
export interface Requests {
  readonly groups: readonly GroupRequest[];
  readonly options: object;
}

/**
 * @throws {GradstepError} `ERR_INVALID_PARAMETER`, `ERR_INVALID_GROUP`, `ERR_INVALID_OPTION`,
 * `ERR_INVALID_ARGUMENT` for a bad pattern.
 */
export function readRequests(first: unknown, second: unknown): Requests {
  if (!isVariablesInput(first)) {
    // Options alone: whatever has a gradient is meant.
    if (second !== undefined || (first !== undefined && !isObject(first))) {
      throw new GradstepError(
        'ERR_INVALID_PARAMETER',
        `Expected layers, a model, variables, groups or options but received ${describe(first)}`,
      );
    }
    return { groups: [{ selection: Selection.all(), group: {} }], options: first ?? {} };
  }
  const options = second ?? {};
  if (!isObject(options) || isIterable(options)) {
    throw new GradstepError(
      'ERR_INVALID_OPTION',
      `Expected options to be an object but received ${describe(options)}`,
    );
  }
  const items = isIterable(first) ? [...first] : undefined;
  const isGroups = isObject(items?.[0]) && 'params' in items[0];
  if (!isGroups) {
    const selection = Selection.of((items ?? first) as VariablesInput);
    return { groups: [{ selection, group: {} }], options };
  }
  return { groups: items.map(readGroup), options };
}

function readGroup(given: unknown, index: number): GroupRequest {
  if (!isObject(given) || isIterable(given) || !('params' in given)) {
    throw new GradstepError(
      'ERR_INVALID_GROUP',
      `Expected a group to be an object with params but received ${describe(given)} ` +
        `(group ${index})`,
    );
  }
  const { params, ...group } = given;
  if (params instanceof Selection) return { selection: params, group };
  if (!isVariablesInput(params)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      'Expected params to be layers, models, variables or patterns of names but received ' +
        `${describe(params)} (group ${index})`,
    );
  }
  return { selection: Selection.of(params, ` (group ${index})`), group };
}
