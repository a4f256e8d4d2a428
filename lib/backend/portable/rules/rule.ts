/**
 * What an update rule is in TypeScript: the twin of `native/rules/rule.h`, with the same name,
 * fields, state and order of operations.
 */

import { FLOAT32_MAX } from '../../../support/float32.ts';

type Floats = Float32Array<ArrayBufferLike>;
type Doubles = Float64Array<ArrayBufferLike>;

/** The record of most rules. */
export const STEP_COUNT: readonly string[] = Object.freeze(['step']);

/**
 * How many values an array has, and the last two dimensions of a parameter that has as many: then
 * it is matrices one after the other, each row by row. 0: it has fewer.
 */
export interface Shape {
  readonly length: number;
  readonly rows: number;
  readonly columns: number;
}

/** The arrays of one parameter; all of one length, but the state of a rule that sees shapes. */
export interface Arrays extends Shape {
  readonly data: Floats;
  readonly grad: Floats;
  readonly state: readonly Floats[];
}

export interface Rule<Scalars> {
  readonly name: string;
  /** The hyperparameter struct, in order. */
  readonly fields: readonly string[];
  /** What a parameter remembers beside its state arrays, in order; first its step count. */
  readonly record: readonly string[];
  /** Whether it takes gradients as they are and parameters whole: a user's own does. */
  readonly isOwn?: boolean;
  /**
   * How long a state array of a parameter is; 0: it has none. A rule that has this sees shapes, and
   * takes parameters whole: `update` gets all of it, with the gradient as the step makes it.
   */
  stateLength?(shape: Shape, which: number): number;
  /**
   * Doubles to float32 scalars, through `toFloat32`, which refuses what float32 cannot hold; and
   * the record, which starts as zeros, to what it is after this step.
   */
  prepare(struct: Doubles, record: Doubles): Scalars;
  update(scalars: Scalars, arrays: Arrays): void;
}

/**
 * The weight of torch's lerp, which starts from the nearer end; that moves where it rounds.
 * near: fma(weight, end - start, start); far: fma(weight, end - start, end).
 */
export interface Lerp {
  readonly weight: number;
  readonly far: boolean;
}

export function toLerp(weight: number): Lerp {
  const rounded = toFloat32(weight);
  const far = !(Math.abs(rounded) < 0.5);
  return { weight: far ? Math.fround(rounded - 1) : rounded, far };
}

/** NaN if either is NaN. */
export function maximum(a: number, b: number): number {
  return a > b || Number.isNaN(a) ? a : b;
}

/** NaN if either is NaN. */
export function minimum(a: number, b: number): number {
  return -maximum(-a, -b);
}

/** -1, 0 or 1; 0 for NaN, as in torch. */
export function sign(x: number): number {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

/** Counts a step in a record, and returns its number. */
export function countStep(record: Doubles): number {
  const step = record[0]! + 1;
  record[0] = step;
  return step;
}

/** A scalar that float32 cannot hold. */
export class ScalarOverflow extends Error {}

/** The one rounding to float32. */
export function toFloat32(value: number): number {
  if (!(Math.abs(value) <= FLOAT32_MAX)) throw new ScalarOverflow();
  return Math.fround(value);
}
