/** Gradients as TensorFlow.js hands them over, checked before anything changes. */

import { isObject } from '../parameters/list-params.ts';
import { describe, nearest } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import type { TensorFlow, TensorLike, VariableLike } from './tensorflow.ts';

/** What `applyGradients` takes: by name, or a list; what is null has no gradient this time. */
export type GradientsInput =
  | { readonly [name: string]: TensorLike | null | undefined }
  | readonly { readonly name: string; readonly tensor: TensorLike | null | undefined }[];

/** A variable with its gradient. */
export interface Update {
  readonly variable: VariableLike;
  readonly gradient: TensorLike;
}

/** What a gradient may be made of: the rest cannot be added to a float32. */
const NUMERIC = ['float32', 'int32', 'bool'];

/**
 * @throws {GradstepError} `ERR_INVALID_PARAMETER` for a name that is no variable's,
 * `ERR_INVALID_GRADIENT`, `ERR_DUPLICATE_PARAMETER` when a variable is given two gradients.
 */
export function listUpdates(tf: TensorFlow, given: GradientsInput): Update[] {
  if (!isObject(given)) {
    throw new GradstepError(
      'ERR_INVALID_GRADIENT',
      `Expected gradients by name or a list of { name, tensor } but received ${describe(given)}`,
    );
  }
  const { registeredVariables } = tf.engine();
  const updates = new Map<VariableLike, TensorLike>();
  for (const [name, gradient] of listEntries(given)) {
    if (gradient === null || gradient === undefined) continue;
    const variable = Object.hasOwn(registeredVariables, name)
      ? registeredVariables[name]
      : undefined;
    if (variable === undefined) throw unknownVariable(name, Object.keys(registeredVariables));
    checkGradient(gradient, variable);
    const other = updates.get(variable);
    if (other !== undefined && other !== gradient) {
      throw new GradstepError(
        'ERR_DUPLICATE_PARAMETER',
        `Variable '${name}' is given two gradients`,
      );
    }
    updates.set(variable, gradient);
  }
  return Array.from(updates, ([variable, gradient]) => ({ variable, gradient }));
}

function listEntries(given: GradientsInput): [string, TensorLike | null | undefined][] {
  if (!Array.isArray(given)) return Object.entries(given);
  return given.map((item: { name: string; tensor: TensorLike | null | undefined }, i) => {
    const { name, tensor } = Object(item) as typeof item;
    if (typeof name === 'string') return [name, tensor];
    throw new GradstepError(
      'ERR_INVALID_GRADIENT',
      `Expected { name, tensor } but received ${describe(item)} (index ${i})`,
    );
  });
}

function unknownVariable(name: string, known: readonly string[]): GradstepError {
  const guess = nearest(name, known);
  return new GradstepError(
    'ERR_INVALID_PARAMETER',
    `Expected the name of a variable that is registered but received '${name}'` +
      `${guess === undefined ? '' : `; did you mean '${guess}'?`}`,
  );
}

function checkGradient(gradient: TensorLike, { name, shape, dtype }: VariableLike): void {
  const { dataId, shape: given, isDisposed, dtype: type } = Object(gradient) as TensorLike;
  if (dtype !== 'float32') {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected variable '${name}' to be of float32 but it is of ${dtype}`,
    );
  }
  const refuse = (what: string) => {
    throw new GradstepError(
      'ERR_INVALID_GRADIENT',
      `Expected the gradient of variable '${name}' to be a tensor of shape [${shape.join(', ')}] ` +
        `but received ${what}`,
    );
  };
  if (!isObject(dataId) || !Array.isArray(given)) refuse(describe(gradient));
  if (isDisposed) refuse('one that has been disposed of');
  if (!NUMERIC.includes(type)) refuse(`one of ${type}`);
  const isAlike = given.length === shape.length && given.every((size, i) => size === shape[i]);
  if (!isAlike) refuse(`one of shape [${given.join(', ')}]`);
}
