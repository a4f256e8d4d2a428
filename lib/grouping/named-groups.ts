/** How the group helpers read what they are given, and divide it. */

import { groupLabel, listGroups, readGroup } from '../groups/group-input.ts';
import {
  isIterable,
  isObject,
  listParams,
  type NamedParameter,
} from '../parameters/list-params.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

/** A group as the helpers handle it: options by name. */
export interface PlainGroup {
  readonly params: readonly NamedParameter[];
  readonly name?: string | undefined;
  readonly [option: string]: unknown;
}

/**
 * Reads what a helper was given; parameters alone are one group without options.
 * @throws {GradstepError} As an optimizer's constructor; `ERR_NAMES` for parameters without names.
 */
export function readNamed(input: unknown, call: string): PlainGroup[] {
  if (!isIterable(input) || ArrayBuffer.isView(input)) {
    const hasNames = isObject(input) && 'namedParameters' in input;
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected ${call} to be given named parameters (a Map, [name, parameter] pairs) or groups ` +
        `of them but received ${describe(input)}${hasNames ? '; give its namedParameters()' : ''}`,
    );
  }
  return listGroups<object>(input).map((given, index) => {
    const { params, paramNames, ...options } = readGroup(given, index);
    const where = groupLabel(index, options.name);
    const list = listParams(params, paramNames, where);
    if (list.names === undefined && list.params.length > 0) {
      throw new GradstepError(
        'ERR_NAMES',
        `Expected ${call} to be given parameters with names, [name, parameter] pairs or a Map, ` +
          `but they have none${where}`,
      );
    }
    const pairs = list.params.map((parameter, i) => [list.names![i]!, parameter] as const);
    return { params: pairs, ...options };
  });
}

/** The parameters of a group by the part that they belong to, in the order of the parts. */
export function divide(
  group: PlainGroup,
  partOf: (pair: NamedParameter) => number,
): [part: number, params: NamedParameter[]][] {
  const parts = new Map<number, NamedParameter[]>();
  for (const pair of group.params) {
    const part = partOf(pair);
    const params = parts.get(part) ?? [];
    params.push(pair);
    parts.set(part, params);
  }
  return [...parts].sort(([a], [b]) => a - b);
}

/** A part of a group: its options, those given on top, and both names. */
export function partOf(
  group: PlainGroup,
  params: readonly NamedParameter[],
  name: string | undefined,
  options: object = {},
): PlainGroup {
  const { params: _, name: outer, ...base } = group;
  const names = [outer, name].filter((part) => part !== undefined);
  return { params, ...(names.length > 0 && { name: names.join(', ') }), ...base, ...options };
}
