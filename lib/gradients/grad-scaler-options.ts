/** What a GradScaler is made from, and what it saves. */

import { Optimizer } from '../optimizer/optimizer.ts';
import {
  type ArgumentTable,
  type Check,
  flag,
  integer,
  optional,
  real,
  refuse,
  required,
} from '../schedules/arguments.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isScale } from './unscale.ts';

/** Options of `new GradScaler`. */
export interface GradScalerOptions {
  /** The first scale, > 0. Default: 65536. */
  readonly initScale?: number;
  /** What the scale is multiplied by after `growthInterval` good steps, > 1. Default: 2. */
  readonly growthFactor?: number;
  /** What the scale is multiplied by after a skipped step, between 0 and 1. Default: 0.5. */
  readonly backoffFactor?: number;
  /** How many good steps in a row make the scale grow. Default: 2000. */
  readonly growthInterval?: number;
  /** When false, every method only does what would be done without a scaler. Default: true. */
  readonly enabled?: boolean;
}

/** What `stateDict()` gives, under torch's keys: either side loads the other's. */
export interface GradScalerState {
  readonly scale: number;
  readonly growth_factor: number;
  readonly backoff_factor: number;
  readonly growth_interval: number;
  readonly _growth_tracker: number;
}

/** A positive number that is one in float32 too, and so is its inverse. */
export const scaleCheck: Check<number> = (value, name) => {
  if (typeof value === 'number' && isScale(value)) return value;
  return refuse(value, `${name} to be a finite number > 0 that float32 can hold, as its inverse`);
};
export const growthCheck: Check<number> = real({ above: 1 }, 'The growth factor must be > 1.0.');
export const backoffCheck: Check<number> = real(
  { above: 0, below: 1 },
  'The backoff factor must be < 1.0.',
);
export const intervalCheck: Check<number> = integer(1);

export const optionTable: ArgumentTable<GradScalerOptions> = {
  initScale: optional(scaleCheck, 65536),
  growthFactor: optional(growthCheck, 2),
  backoffFactor: optional(backoffCheck, 0.5),
  growthInterval: optional(intervalCheck, 2000),
  enabled: optional(flag, true),
};

export const stateTable: ArgumentTable<GradScalerState> = {
  scale: required(scaleCheck),
  growth_factor: required(growthCheck),
  backoff_factor: required(backoffCheck),
  growth_interval: required(intervalCheck),
  _growth_tracker: required(integer(0)),
};

/** The error for a call that makes no sense now. */
export function misuse(sentence: string): GradstepError {
  return new GradstepError('ERR_GRAD_SCALER', sentence);
}

/** Refuses what is no optimizer. */
export function checkOptimizer(optimizer: unknown): void {
  if (optimizer instanceof Optimizer) return;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected an optimizer but received ${describe(optimizer)}`,
  );
}
