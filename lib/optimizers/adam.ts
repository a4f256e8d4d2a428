/** Adam, and AMSGrad as its option. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { betas, flag } from '../options/option.ts';
import { Schema, type SchemaSpec } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `Adam` and `AdamW` and of their groups. */
export interface AdamOptions {
  /** Learning rate, >= 0. Default: 1e-3. */
  readonly lr?: number;
  /** Decay rates of the averages of the gradient and of its square, in [0, 1). Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root in the denominator, >= 0. Default: 1e-8. */
  readonly eps?: number;
  /** Adam: L2 penalty, default 0. AdamW: decoupled decay, default 0.01. >= 0. */
  readonly weightDecay?: number;
  /** Divide by the largest average of squares so far (Reddi et al. 2018). Default: false. */
  readonly amsgrad?: boolean;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface AdamState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Running average of the gradient. */
  readonly expAvg: Float32Array<ArrayBufferLike>;
  /** Running average of its square. */
  readonly expAvgSq: Float32Array<ArrayBufferLike>;
  /** Largest `expAvgSq` so far; there once `amsgrad` was on. */
  readonly maxExpAvgSq?: Float32Array<ArrayBufferLike>;
}

/** What Adam and AdamW share: all but the name, the rule and one default. @internal */
export function adamSpec(name: string, rule: string, decay: number): SchemaSpec<AdamOptions> {
  return {
    name,
    rule,
    options: {
      lr: lr(1e-3),
      betas: betas([0.9, 0.999]),
      eps: eps(1e-8),
      weightDecay: weightDecay(decay),
      amsgrad: flag(false),
      maximize: flag(false),
    },
    state: [{ name: 'expAvg' }, { name: 'expAvgSq' }, { name: 'maxExpAvgSq', when: 'amsgrad' }],
    counted: true,
  };
}

const schema = new Schema(adamSpec('Adam', 'adam', 0));

/**
 * Adam, as `torch.optim.Adam` (torch/optim/adam.py); Kingma and Ba, "Adam: a method for stochastic
 * optimization" (2015), https://arxiv.org/abs/1412.6980.
 *
 *     g = maximize ? -grad : grad
 *     g = g + weightDecay * param
 *     expAvg   = beta1 * expAvg   + (1 - beta1) * g
 *     expAvgSq = beta2 * expAvgSq + (1 - beta2) * g²
 *     v = amsgrad ? maxExpAvgSq = max(maxExpAvgSq, expAvgSq) : expAvgSq
 *     param = param - lr / (1 - beta1^step) * expAvg / (√v / √(1 - beta2^step) + eps)
 *
 * ```ts
 * const optimizer = new Adam([w, b], { lr: 1e-3 });
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`, `ERR_INVALID_PARAMETER`,
 * `ERR_INVALID_GROUP`, `ERR_DUPLICATE_PARAMETER`, `ERR_OVERLAP`, `ERR_NAMES`,
 * `ERR_OUT_OF_MEMORY`.
 */
export class Adam extends Optimizer<AdamOptions, AdamState> {
  constructor(params: ParamsOrGroups<AdamOptions>, options: AdamOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
