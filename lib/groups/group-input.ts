/** An optimizer's arguments as they are given: options, and parameters or groups. */

import type { Where } from '../options/option.ts';
import { isIterable, isObject, type ParamsInput } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

/** What a user may keep beside a group: anything that JSON can say. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A group as it is given: parameters, and the options that differ from the defaults. */
export type ParamGroupInput<O> = O & {
  readonly params: ParamsInput;
  readonly paramNames?: readonly string[];
  readonly name?: string;
  readonly meta?: Json;
  readonly frozen?: boolean;
};

/** What an optimizer is made from: parameters, named parameters, or groups. */
export type ParamsOrGroups<O> =
  | Iterable<ParameterLike>
  | Iterable<readonly [string, ParameterLike]>
  | Iterable<ParamGroupInput<O>>;

/** A group in error sentences: ` (group 2)`. */
export function groupLabel(index: number, name: string | undefined): string {
  return ` (group ${name === undefined ? index : `'${name}'`})`;
}

/** Options of a constructor: any object that is no collection. */
export function checkOptions<O>(options: O): O & object {
  if (isObject(options) && !isIterable(options)) return options;
  throw new GradstepError(
    'ERR_INVALID_OPTION',
    `Expected options to be an object but received ${describe(options)}`,
  );
}

/** A copy of the group as it was given, each property read once; its members are checked. */
export function readGroup<O>(group: ParamGroupInput<O>, index: number): ParamGroupInput<O> {
  if (!isObject(group) || isIterable(group)) {
    throw new GradstepError(
      'ERR_INVALID_GROUP',
      'param_group must be a dict, that is an object with params and options, ' +
        `but received ${describe(group)} (group ${index})`,
    );
  }
  const copy = { ...group };
  if (copy.params === undefined) {
    throw new GradstepError('ERR_INVALID_GROUP', `Expected params in the group (group ${index})`);
  }
  if (copy.name !== undefined) checkName(copy.name, ` (group ${index})`);
  const where = groupLabel(index, copy.name);
  if (copy.meta !== undefined) checkMeta(copy.meta, where);
  if (copy.frozen !== undefined) checkGroupFrozen(copy.frozen, where);
  return copy;
}

/** Refuses a group's name that is no string. */
export function checkName(name: unknown, where: Where): void {
  if (typeof name === 'string') return;
  throw new GradstepError(
    'ERR_INVALID_GROUP',
    `Expected name of a group to be a string but received ${describe(name)}${where}`,
  );
}

/** Refuses what neither freezes a group nor does not. */
export function checkGroupFrozen(frozen: unknown, where: Where): void {
  if (typeof frozen === 'boolean') return;
  throw new GradstepError(
    'ERR_INVALID_GROUP',
    `Expected frozen of a group to be a boolean but received ${describe(frozen)}${where}`,
  );
}

/** Refuses data of the user that JSON cannot hold. */
export function checkMeta(meta: unknown, where: Where): void {
  let text: string | undefined;
  try {
    text = typeof meta === 'bigint' ? undefined : JSON.stringify(meta);
  } catch {
    text = undefined; // a cycle, or a bigint somewhere inside
  }
  if (text !== undefined) return;
  throw new GradstepError(
    'ERR_INVALID_GROUP',
    `Expected meta of a group to be JSON but received ${describe(meta)}${where}`,
  );
}

/** The constructor's first argument as a list of groups; as in torch, its first item decides. */
export function listGroups<O>(input: unknown): ParamGroupInput<O>[] {
  if (!isIterable(input) || ArrayBuffer.isView(input) || typeof input === 'string') {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      'params argument given to the optimizer should be an iterable of parameters or groups, ' +
        `but got ${describe(input)}${isObject(input) ? '; put it into an array' : ''}`,
    );
  }
  const items = [...input];
  const first = items[0];
  if (items.length === 0) return [];
  if (isObject(first) && 'params' in first) return items as ParamGroupInput<O>[];
  return [{ params: items } as unknown as ParamGroupInput<O>];
}
