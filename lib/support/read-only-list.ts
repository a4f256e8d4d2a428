/** A live list that its owner may change and nobody else. */

import { GradstepError } from './errors.ts';

/**
 * A view of `list` that follows it and refuses every change.
 * @param name What error sentences call it.
 * @param instead The call that changes it properly.
 */
export function readOnlyList<T>(list: T[], name: string, instead: string): readonly T[] {
  const refuse = (): never => {
    throw new GradstepError('ERR_READ_ONLY', `${name} cannot be changed directly; use ${instead}`);
  };
  return new Proxy(list, {
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: refuse,
    preventExtensions: refuse,
  });
}
