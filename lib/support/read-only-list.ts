/** A live list that its owner may change and nobody else. */

import { GradstepError } from './errors.ts';

/**
 * A view of `list` that follows it and refuses every change.
 * @param name What error sentences call it.
 * @param instead The call that changes it properly.
 */
export function readOnlyList<T>(list: T[], name: string, instead: string): readonly T[] {
  const sentence = `${name} cannot be changed directly; use ${instead}`;
  const handler = handlers.get(sentence) ?? refusing(sentence);
  handlers.set(sentence, handler);
  return new Proxy(list, handler);
}

/** By sentence: a hundred thousand optimizers share one. */
const handlers = new Map<string, ProxyHandler<never[]>>();

function refusing(sentence: string): ProxyHandler<never[]> {
  const refuse = (): never => {
    throw new GradstepError('ERR_READ_ONLY', sentence);
  };
  return {
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: refuse,
    preventExtensions: refuse,
  };
}
