/**
 * What an update rule is in TypeScript: the twin of `native/rules/rule.h`, with the same name,
 * fields, state and order of operations.
 */

import { FLOAT32_MAX } from '../../../float32.ts';

type Floats = Float32Array<ArrayBufferLike>;
type Doubles = Float64Array<ArrayBufferLike>;

/** The arrays of one parameter; all of one length. */
export interface Arrays {
  readonly data: Floats;
  readonly grad: Floats;
  readonly state: readonly Floats[];
  readonly length: number;
}

export interface Rule<Scalars> {
  readonly name: string;
  /** The hyperparameter struct, in order. */
  readonly fields: readonly string[];
  /** Whether a step under these options is counted. */
  counts(struct: Doubles): boolean;
  /** Doubles to float32 scalars, through `toFloat32`, which refuses what float32 cannot hold. */
  prepare(struct: Doubles, count: number): Scalars;
  update(scalars: Scalars, arrays: Arrays): void;
}

/** A scalar that float32 cannot hold. */
export class ScalarOverflow extends Error {}

/** The one rounding to float32. */
export function toFloat32(value: number): number {
  if (!(Math.abs(value) <= FLOAT32_MAX)) throw new ScalarOverflow();
  return Math.fround(value);
}
