/** Shapes of parameters, which are theirs to tell. */

import type { ParameterLike } from '../parameters/parameter.ts';

/** A copy of the parameter's shape, if it has one that is right for so many values. */
export function shapeOf({ shape }: ParameterLike, size: number): readonly number[] | undefined {
  const copy = Array.isArray(shape) ? Array.from(shape) : undefined; // it may change its mind
  return isShape(copy, size) ? copy : undefined;
}

export function isShape(shape: unknown, size: number): shape is readonly number[] {
  if (!Array.isArray(shape)) return false;
  const product = shape.reduce<number>(
    (all, length) => (Number.isSafeInteger(length) && length >= 0 ? all * length : Number.NaN),
    1,
  );
  return product === size;
}

/** `[2, 3]`, or without a shape `6 values`. */
export function printSize({ size, shape }: { size: number | undefined; shape?: unknown }): string {
  if (size === undefined) return 'a size it does not tell';
  if (Array.isArray(shape)) return `shape [${shape.join(', ')}]`;
  return `${size} value${size === 1 ? '' : 's'}`;
}
