/**
 * What the core in TypeScript computes with: loops in JavaScript, or kernels of WebAssembly. Both
 * give the same bits, and the core keeps the books for both.
 */

import type { Doubles, Floats } from '../../support/typed-arrays.ts';
import type { Reduction } from './reduce.ts';
import type { Rule } from './rules/rule.ts';
import type { Run } from './run.ts';

/** What is done to the gradients of a step on their way into the rule, in this order. */
export interface Treatment {
  readonly scale: number;
  /** Clamps to [-bound, bound]. */
  readonly bound: number;
  /** What clipping multiplies the gradient of each slot of the step by; undefined: nothing. */
  readonly coefficients: readonly number[] | undefined;
}

/** An update rule, and what steps with it. */
export interface SteppingRule {
  /** The hyperparameter struct, in order. */
  readonly fields: readonly string[];
  /** What a parameter remembers beside its state arrays, in order; first its step count. */
  readonly record: readonly string[];
  /** Whether it takes gradients as they are and parameters whole: a user's own does. */
  readonly isOwn?: boolean | undefined;
  /** As `Rule` has it: of a rule that sees shapes. */
  readonly stateLength?: Rule<unknown>['stateLength'];
  /**
   * Doubles to scalars, of which only `step` knows more; and the record, which starts as zeros, to
   * what it is after this step. Throws ScalarOverflow where float32 cannot hold one.
   */
  prepare(struct: Doubles, record: Doubles): unknown;
  /**
   * Steps the slots of a run, and writes their records.
   * @param first The place of its first slot among all of the step.
   * @param negate Turns the sign of every gradient.
   */
  step(run: Run, treatment: Treatment, first: number, negate: boolean): void;
}

/** What is computed over gradients, whatever the rule. */
export interface Arithmetic {
  /** Reduces an array of values that are first multiplied and clamped. */
  reduce(reduction: Reduction, array: Floats, scale?: number, bound?: number): number;
  /** Multiplies and clamps in place. */
  treat(array: Floats, scale: number, bound: number): void;
}
