/** Adamax: Adam with the infinity norm. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { betas, flag } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `Adamax` and of its groups. */
export interface AdamaxOptions {
  /** Learning rate, >= 0. Default: 2e-3. */
  readonly lr?: number;
  /** Decay rates of the running averages, in [0, 1). Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the absolute gradient, >= 0. Default: 1e-8. */
  readonly eps?: number;
  /** L2 penalty, >= 0, added to the gradient. Default: 0. */
  readonly weightDecay?: number;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface AdamaxState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Running average of the gradient. */
  readonly expAvg: Float32Array<ArrayBufferLike>;
  /** Decaying maximum of its absolute value. */
  readonly expInf: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<AdamaxOptions>({
  name: 'Adamax',
  rule: 'adamax',
  options: {
    lr: lr(2e-3),
    betas: betas([0.9, 0.999]),
    eps: eps(1e-8),
    weightDecay: weightDecay(0),
    maximize: flag(false),
  },
  state: [{ name: 'expAvg' }, { name: 'expInf' }],
  counted: true,
});

/**
 * Adamax, as `torch.optim.Adamax` (torch/optim/adamax.py); Kingma and Ba (2015), section 7.1,
 * https://arxiv.org/abs/1412.6980.
 *
 *     g = maximize ? -grad : grad
 *     g = g + weightDecay * param
 *     expAvg = beta1 * expAvg + (1 - beta1) * g
 *     expInf = max(beta2 * expInf, |g| + eps)
 *     param = param - lr / (1 - beta1^step) * expAvg / expInf
 *
 * ```ts
 * const optimizer = new Adamax(net.parameters(), { lr: 2e-3 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class Adamax extends Optimizer<AdamaxOptions, AdamaxState> {
  constructor(params: ParamsOrGroups<AdamaxOptions>, options: AdamaxOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
