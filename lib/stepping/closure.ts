/** The closure of `step(closure)`. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

/**
 * Calls the closure and gives the loss that it returns.
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no function, `ERR_ASYNC_CLOSURE` for
 * one that returns a promise.
 */
export function lossOf<T>(closure: () => T): T {
  if (typeof closure !== 'function') {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected closure to be a function but received ${describe(closure)}`,
    );
  }
  const loss = closure();
  if (!isThenable(loss)) return loss;
  ignoreRejection(loss);
  throw new GradstepError(
    'ERR_ASYNC_CLOSURE',
    'Expected closure to return the loss but received a promise; await the loss and the ' +
      'gradients first, then call step()',
  );
}

const { then } = Promise.prototype;

/** Lets a promise of any realm reject unheard: its rejection would be a second error. */
export function silence(promise: unknown): void {
  try {
    Reflect.apply(then, promise, [undefined, () => {}]);
  } catch {
    // It is no promise; to call its own `then` might begin what nobody waits for.
  }
}

/** Whether it is a promise, of any kind. */
export function isThenable(value: unknown): boolean {
  const type = typeof value;
  if (value === null || (type !== 'object' && type !== 'function')) return false;
  return typeof Reflect.get(value as object, 'then') === 'function';
}

/** The rejection of a promise, of any realm, that is refused is not a second error. */
export function ignoreRejection(promise: unknown): void {
  new Promise((resolve) => resolve(promise)).catch(() => {});
}
