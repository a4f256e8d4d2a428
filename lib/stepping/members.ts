/** What takes part in a step, as `step-plan.ts` sees it. */

import type { Backend, Core, Failure } from '../backend/backend.ts';
import type { GradstepError } from '../support/errors.ts';

/** A table of arrays that steps work on: an optimizer's, or an average's. */
export interface Member {
  readonly core: Core;
  readonly backend: Backend;
  /** Whether an average's update is code of a user. */
  readonly isOwn?: boolean;
  /** Reads users' objects once, and registers what has changed. */
  refresh(): void;
  /** With no code of a user: every registered array is there, and as long as it was. */
  verify(): void;
  /** Refuses arrays that overlap; what is long gone does not count. */
  verifyOverlap(): void;
  /** @throws {GradstepError} `ERR_NOT_SHARED` for an array that could go away in the background. */
  verifyShared(): void;
  explain(failure: Failure): GradstepError;
}

/** What follows the steps of an optimizer: an average of parameters. */
export interface Follower {
  readonly table: Member;
  /** Throws if it cannot follow a step now. */
  guard(): void;
  /** It takes part in a step from now on, or not any more. */
  enter(where: 'here' | 'background'): void;
  leave(): void;
}

/** An optimizer in a plan. */
export interface Leader {
  readonly slots: Member & { zeroGrads(): void };
  /** Whether the update is code of a user. */
  readonly isOwn: boolean;
  readonly settings: { readonly stepped: boolean; readonly zeroes: boolean };
  steps: number;
}

/** What is stepped: one optimizer, or several that are combined. */
export interface Part {
  /** The optimizer, if it is one. */
  readonly single: Leader | undefined;
  /** What it consists of otherwise. */
  readonly parts: readonly Part[];
  /** All optimizers in it. */
  readonly steppers: readonly Leader[];
  readonly followers: readonly Follower[];
}
