/** An optimizer's arguments as they are given: options, and parameters or groups. */

import type { Where } from '../options/option.ts';
import { hint } from '../parameters/hint.ts';
import type { ParamsInput } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isIterable, isObject, itemsOf } from '../support/iterables.ts';
import { ownProperties } from '../support/own-properties.ts';

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

/**
 * What an optimizer is made from: parameters, named parameters, or groups. The array says nothing
 * new; it comes last for the compiler's errors, which then name the property that is wrong.
 */
export type ParamsOrGroups<O> =
  | Iterable<ParameterLike>
  | Iterable<readonly [string, ParameterLike]>
  | Iterable<ParamGroupInput<O>>
  | readonly (ParameterLike | ParamGroupInput<O>)[];

/** A group in error sentences: ` (group 2)`. */
export function groupLabel(index: number, name: string | undefined): string {
  return ` (group ${name === undefined ? index : `'${name}'`})`;
}

/**
 * Options of a constructor: any object that is no collection.
 * @param key The option that a mere number is most likely meant for.
 */
export function checkOptions<O>(options: O, key: string | null = 'lr'): O & object {
  if (isObject(options) && !isIterable(options)) return options;
  throw new GradstepError(
    'ERR_INVALID_OPTION',
    `Expected options to be an object but received ${describe(options)}` +
      `${key && typeof options === 'number' ? `; did you mean { ${key}: ${options} }?` : ''}`,
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
  const copy = ownProperties(group);
  if (copy.params === undefined) {
    const advice = 'data' in group ? '' : hint(group);
    throw new GradstepError(
      'ERR_INVALID_GROUP',
      `Expected params in the group${advice} (group ${index})`,
    );
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
  if (!isIterable(input) || ArrayBuffer.isView(input)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      'params argument given to the optimizer should be an iterable of parameters or groups, ' +
        `but got ${describe(input)}${hint(input) || (isOne(input) ? '; put it into an array' : '')}`,
    );
  }
  const items = itemsOf(input, 'params');
  if (items.length === 0) return [];
  if (isGroup(items[0])) return items as ParamGroupInput<O>[];
  return [{ params: items } as unknown as ParamGroupInput<O>];
}

function isGroup(value: unknown): boolean {
  return isObject(value) && Object.hasOwn(value, 'params');
}

/** A parameter or a group, where a list of them is expected. */
function isOne(value: unknown): boolean {
  if (isGroup(value)) return true;
  return isObject(value) && !isIterable(value) && ArrayBuffer.isView(Reflect.get(value, 'data'));
}
