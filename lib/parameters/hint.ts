/** What somebody probably meant who gave something else in the place of parameters. */

import { nearest } from '../support/describe.ts';
import { isIterable, isObject } from '../support/iterables.ts';
import { isFloat32Array } from '../support/typed-arrays.ts';

/** Ends a sentence about what is no parameter; empty if nobody knows. */
export function hint(value: unknown): string {
  try {
    const advice = adviceFor(value);
    return advice === undefined ? '' : `; ${advice}`;
  } catch {
    return ''; // getters of users run here
  }
}

function adviceFor(value: unknown): string | undefined {
  if (isFloat32Array(value)) return 'wrap it: new Parameter(array)';
  if (isNumbers(value)) return 'wrap the numbers: new Parameter(numbers)';
  if (!isObject(value) || isIterable(value)) return undefined;
  if (has(value, 'dataSync')) {
    return (
      'the values of a TensorFlow.js tensor are in its own memory: ' +
      'new Parameter(tensor.dataSync(), { shape: tensor.shape }) has a copy of them'
    );
  }
  if ('paramGroups' in value) {
    return 'give its parameters: optimizer.paramGroups.flatMap(({ params }) => params)';
  }
  if ('params' in value) return 'put it into an array: [{ params, … }]';
  if (has(value, 'parameters')) return 'give its parameters()';
  if ('parameters' in value) return 'give its parameters, .parameters';
  return misspelt(Object.keys(value)) ?? (holdsParameters(value) ? byValue : undefined);
}

const byValue = 'give Object.values(parameters), or Object.entries(parameters) to keep the names';

function has(value: object, method: string): boolean {
  return typeof Reflect.get(value, method) === 'function';
}

/** Numbers, or arrays of them. */
function isNumbers(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return typeof value[0] === 'number' || isNumbers(value[0]);
}

function holdsParameters(value: object): boolean {
  return Object.values(value).some((item) => isObject(item) && 'data' in item);
}

/** A group whose `params` is spelt otherwise. */
function misspelt(keys: readonly string[]): string | undefined {
  if (keys.includes('params')) return undefined;
  const key = keys.find((word) => nearest(word, ['params', 'parameters']) !== undefined);
  return key && `a group needs params: did you mean params instead of ${key}?`;
}
