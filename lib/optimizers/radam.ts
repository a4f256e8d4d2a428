/** RAdam: Adam that trusts its variance only once it can be known. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { betas, flag } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `RAdam` and of its groups. */
export interface RAdamOptions {
  /** Learning rate, >= 0. Default: 1e-3. */
  readonly lr?: number;
  /** Decay rates of the running averages, in [0, 1). Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator, >= 0. Default: 1e-8. */
  readonly eps?: number;
  /** L2 penalty, or decoupled decay, >= 0. Default: 0. */
  readonly weightDecay?: number;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
  /** Decay as AdamW does. Default: false. */
  readonly decoupledWeightDecay?: boolean;
}

/** State of a parameter after its first step. */
export interface RAdamState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Running average of the gradient. */
  readonly expAvg: Float32Array<ArrayBufferLike>;
  /** Running average of its square. */
  readonly expAvgSq: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<RAdamOptions>({
  name: 'RAdam',
  rule: 'radam',
  options: {
    lr: lr(1e-3),
    betas: betas([0.9, 0.999]),
    eps: eps(1e-8),
    weightDecay: weightDecay(0),
    maximize: flag(false),
    decoupledWeightDecay: flag(false),
  },
  state: [{ name: 'expAvg' }, { name: 'expAvgSq' }],
  counted: true,
});

/**
 * RAdam, as `torch.optim.RAdam` (torch/optim/radam.py); Liu et al. (2020),
 * https://arxiv.org/abs/1908.03265.
 *
 *     g, param: decay as Adam, or as AdamW when decoupled
 *     expAvg   = beta1 * expAvg   + (1 - beta1) * g
 *     expAvgSq = beta2 * expAvgSq + (1 - beta2) * g²
 *     rhoInf = 2 / (1 - beta2) - 1
 *     rho = rhoInf - 2 * step * beta2^step / (1 - beta2^step)
 *     r = √((rho - 4) (rho - 2) rhoInf / ((rhoInf - 4) (rhoInf - 2) rho))
 *     l = √(1 - beta2^step) / (√expAvgSq + eps)
 *     param = param - lr * expAvg / (1 - beta1^step) * (rho > 5 ? r * l : 1)
 *
 * ```ts
 * const optimizer = new RAdam(net.parameters(), { lr: 1e-3 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class RAdam extends Optimizer<RAdamOptions, RAdamState> {
  constructor(params: ParamsOrGroups<RAdamOptions>, options: RAdamOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
