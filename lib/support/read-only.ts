/** Properties that show something and cannot be replaced. */

import { GradstepError } from './errors.ts';

/**
 * The error for an attempt to replace a property.
 * @param instead What to do, as an imperative.
 */
export function readOnlyError(name: string, instead: string): GradstepError {
  return new GradstepError('ERR_READ_ONLY', `${name} cannot be replaced: ${instead}`);
}

/**
 * Accessors for properties of an object's own, which are listed and compared, and refuse to be
 * replaced.
 * @param fields How each is read, and what to do instead of replacing it.
 */
export function readOnlyFields<T extends object>(
  fields: Readonly<Record<string, readonly [read: (object: T) => unknown, instead: string]>>,
): PropertyDescriptorMap {
  const described = Object.entries(fields).map(([name, [read, instead]]) => [
    name,
    {
      enumerable: true,
      get(this: T) {
        return read(this);
      },
      set() {
        throw readOnlyError(name, instead);
      },
    },
  ]);
  return Object.fromEntries(described) as PropertyDescriptorMap;
}

/** Lets the getters of a class that have no setter refuse to be assigned to, by a coded error. */
export function refuseWrites(prototype: object): void {
  const described = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  for (const [name, { get, set }] of described) {
    if (get === undefined || set !== undefined) continue;
    Object.defineProperty(prototype, name, {
      set() {
        throw readOnlyError(name, 'it only shows something');
      },
    });
  }
}
