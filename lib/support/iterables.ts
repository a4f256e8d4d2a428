/** Reading iterables that users give. */

import { GradstepError } from './errors.ts';

/** What ends a sentence: a string, or an object that prints so. */
type Ending = string | { toString(): string };

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export function isIterable(value: unknown): value is Iterable<unknown> {
  return isObject(value) && typeof Reflect.get(value, Symbol.iterator) === 'function';
}

/**
 * Everything that an iterable gives, in order. A generator that gives nothing has most likely been
 * used already, and is refused.
 * @param name What the sentence calls it.
 * @param phrase What torch says of it.
 * @throws {GradstepError} `ERR_INVALID_PARAMETER`.
 */
export function itemsOf(
  iterable: Iterable<unknown>,
  name: string,
  where: Ending = '',
  phrase = '',
): unknown[] {
  const isIterator = typeof Reflect.get(iterable, 'next') === 'function';
  const items = [...iterable];
  if (!isIterator || items.length > 0) return items;
  throw new GradstepError(
    'ERR_INVALID_PARAMETER',
    `${phrase}Expected ${name} to give something, but it is an empty generator or iterator: ` +
      `each can be used only once. Make a new one, or give a list${where}`,
  );
}
