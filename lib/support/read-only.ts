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

/**
 * Has a look at assignments to fields that an object of this class does not have. Fields that a
 * subclass declares, and accessors that it defines, are its own affair and never come here.
 * @param refuse Throws for what must not be kept without a word.
 */
export function watchNewFields(
  prototype: object,
  refuse: (object: object, key: string) => void,
): void {
  const guard = new Proxy(Object.create(Object.getPrototypeOf(prototype)) as object, {
    set(_target, key, value, object: object) {
      if (typeof key === 'string') refuse(object, key);
      const plain = { value, writable: true, enumerable: true, configurable: true };
      return Reflect.defineProperty(object, key, plain);
    },
  });
  Object.setPrototypeOf(prototype, guard);
}

/** Lets a map refuse to be changed. @param instead What to do, as an imperative. */
export function fixedMap<K, V>(map: Map<K, V>, name: string, instead: string): ReadonlyMap<K, V> {
  const refuse = () => {
    throw new GradstepError('ERR_READ_ONLY', `${name} cannot be changed: ${instead}`);
  };
  const value = { value: refuse };
  return Object.defineProperties(map, { set: value, delete: value, clear: value });
}
