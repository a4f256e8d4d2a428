/** An arena as another thread gets it: its memory, and what lies in it. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isObject } from '../support/iterables.ts';
import { isShared } from '../support/typed-arrays.ts';
import { shapeOf } from './values.ts';

/** A part of an arena as `postMessage` carries it. */
export interface ArenaBlock {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
}

/** A parameter of an arena. */
export interface DescribedParameter {
  readonly name: string | undefined;
  readonly shape: readonly number[];
}

/** Everything that another thread needs to open the same arena; structured-cloneable. */
export interface ArenaDescription {
  readonly data: ArenaBlock;
  readonly grad: ArenaBlock;
  /** The parameters in order; each begins on a cache line. */
  readonly parameters: readonly DescribedParameter[];
}

/**
 * A copy of a description, checked; every property is read once.
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT`.
 */
export function readDescription(given: unknown): ArenaDescription {
  const { data, grad, parameters } = (isObject(given) ? given : {}) as Record<string, unknown>;
  const list: unknown[] | undefined = Array.isArray(parameters) ? [...parameters] : undefined;
  const [values, gradients] = [readBlock(data), readBlock(grad)];
  if (values === undefined || gradients === undefined || list === undefined)
    throw noDescription(given);
  return {
    data: values,
    grad: gradients,
    parameters: list.map((item) => readParameter(item, given)),
  };
}

/** Memory that nobody can take away. */
function readBlock(given: unknown): ArenaBlock | undefined {
  const { buffer, byteOffset } = (isObject(given) ? given : {}) as Record<string, unknown>;
  if (!isShared(buffer) || !Number.isSafeInteger(byteOffset)) return undefined;
  return { buffer, byteOffset: byteOffset as number };
}

function readParameter(item: unknown, given: unknown): DescribedParameter {
  const { name, shape } = (isObject(item) ? item : {}) as Record<string, unknown>;
  if (name !== undefined && typeof name !== 'string') throw noDescription(given);
  try {
    return { name, shape: shapeOf(shape) };
  } catch (cause) {
    throw noDescription(given, cause);
  }
}

function noDescription(given: unknown, cause?: unknown): GradstepError {
  return new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected a description made by arena.describe() but received ${describe(given)}`,
    { cause },
  );
}
