/**
 * Clipping between the gradients' computation and the step, as `torch.nn.utils.clip_grad` (2.6).
 * All functions take parameters as optimizers do, skip those without a gradient, and work on the
 * backend in force. A parameter that is given twice counts twice and is clipped twice, and so is
 * a gradient that two parameters share: as in torch.
 */

import { activeBackend } from '../backend/active.ts';
import type { ParamsInput } from '../parameters/list-params.ts';
import {
  type ArgumentTable,
  type Check,
  flag,
  optional,
  parseArguments,
  refuse,
} from '../schedules/arguments.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { FLOAT32_MAX } from '../support/float32.ts';
import { type GradList, listGrads } from './grads.ts';

/** Options of `getTotalNorm` and `clipGradNorm`. */
export interface NormOptions {
  /** p of the p-norm; infinities give the largest or smallest absolute value. Default: 2. */
  readonly normType?: number | 'inf';
  /** Throw when the norm is infinite or NaN, instead of returning it. Default: false. */
  readonly errorIfNonfinite?: boolean;
}

const order: Check<number> = (value, name) => {
  if (value === 'inf') return Number.POSITIVE_INFINITY;
  if (typeof value === 'number' && !Number.isNaN(value)) return value;
  return refuse(value, `${name} to be a number or 'inf'`);
};

interface CheckedOptions {
  readonly normType?: number;
  readonly errorIfNonfinite?: boolean;
}

const normOptions: ArgumentTable<CheckedOptions> = {
  normType: optional(order, 2),
  errorIfNonfinite: optional(flag, false),
};

/**
 * The norm of all gradients together, as if they were one vector: for p = 2 the root of the sum of
 * all squares, in double and in an order that is the same on every backend, rounded to float32
 * where that can hold it. 0 without gradients. For p = 0 it is, as torch's norm of norms, the number of gradients that are
 * not all zero.
 *
 * @throws {GradstepError} `ERR_NON_FINITE` with `errorIfNonfinite`; `ERR_INVALID_OPTION`,
 * `ERR_UNKNOWN_OPTION`, `ERR_INVALID_PARAMETER`, `ERR_INVALID_GRADIENT`, `ERR_DETACHED`,
 * `ERR_NAMES`; `ERR_BUSY` while an asynchronous step zeroes them.
 */
export function getTotalNorm(params: ParamsInput, options: NormOptions = {}): number {
  const checked = parseArguments<CheckedOptions>(normOptions, options, 'getTotalNorm');
  return totalNorm(listGrads(params), checked);
}

/**
 * Scales all gradients, in place, so that their norm together is at most `maxNorm`: multiplies by
 * `maxNorm / (norm + 1e-6)` where that is below 1. A NaN norm makes every gradient NaN, an
 * infinite one makes 0 of what is finite.
 *
 * @param maxNorm At least 0; `Infinity` only measures.
 * @returns The norm before clipping, as `getTotalNorm`.
 * @throws {GradstepError} As `getTotalNorm`, and `ERR_INVALID_ARGUMENT`; nothing has changed then.
 */
export function clipGradNorm(
  params: ParamsInput,
  maxNorm: number,
  options: NormOptions = {},
): number {
  const most = checkBound(maxNorm, 'maxNorm');
  const checked = parseArguments<CheckedOptions>(normOptions, options, 'clipGradNorm');
  const list = listGrads(params);
  const total = totalNorm(list, checked);
  if (list.grads.length > 0) activeBackend().clipGrads(list.grads, total, most);
  return total;
}

/**
 * The second half of `clipGradNorm`, for a norm that is known: that of other parameters too, or of
 * other workers'.
 *
 * @param totalNorm At least 0, or NaN.
 * @throws {GradstepError} As `clipGradNorm`.
 */
export function clipGradsWithNorm(params: ParamsInput, maxNorm: number, totalNorm: number): void {
  const most = checkBound(maxNorm, 'maxNorm');
  const total = Number.isNaN(totalNorm) ? totalNorm : checkBound(totalNorm, 'totalNorm');
  const { grads } = listGrads(params);
  if (grads.length > 0) activeBackend().clipGrads(grads, total, most);
}

/**
 * Clamps every gradient, in place, to [-clipValue, clipValue]. NaN stays NaN.
 *
 * @param clipValue At least 0.
 * @throws {GradstepError} As `clipGradNorm`, and `ERR_OVERFLOW` for a bound that is finite but not
 * in float32.
 */
export function clipGradValue(params: ParamsInput, clipValue: number): void {
  const bound = checkBound(clipValue, 'clipValue');
  if (Number.isFinite(bound) && bound > FLOAT32_MAX) {
    throw new GradstepError(
      'ERR_OVERFLOW',
      `value cannot be converted to type float without overflow: clipValue is ${bound}`,
    );
  }
  const { grads } = listGrads(params);
  if (grads.length > 0) activeBackend().clampGrads(grads, bound);
}

function totalNorm(list: GradList, options: Required<CheckedOptions>): number {
  if (list.grads.length === 0) return 0;
  const total = activeBackend().gradNorm(list.grads, options.normType);
  if (options.errorIfNonfinite && !Number.isFinite(total)) throw nonFinite(list, options.normType);
  return total;
}

function nonFinite({ grads, labels }: GradList, normType: number): GradstepError {
  const culprit = grads.findIndex((grad) => activeBackend().countNonFinite([grad]) > 0);
  const where = culprit < 0 ? '' : ` (the first such gradient is that of ${labels[culprit]})`;
  return new GradstepError(
    'ERR_NON_FINITE',
    `The total norm of order ${normType} for gradients from \`parameters\` is non-finite, so it ` +
      'cannot be clipped. To disable this error and scale the gradients by the non-finite norm ' +
      `anyway, set errorIfNonfinite: false${where}`,
  );
}

function checkBound(value: unknown, name: string): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected ${name} to be a number >= 0 but received ${describe(value)}`,
  );
}
