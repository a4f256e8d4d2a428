/** NAdam: Adam with Nesterov's momentum. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { betas, flag, number } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `NAdam` and of its groups. */
export interface NAdamOptions {
  /** Learning rate, >= 0. Default: 2e-3. */
  readonly lr?: number;
  /** Decay rates of the running averages, in [0, 1). Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator, >= 0. Default: 1e-8. */
  readonly eps?: number;
  /** L2 penalty, or decoupled decay, >= 0. Default: 0. */
  readonly weightDecay?: number;
  /** How fast the momentum grows from betas[0] / 2 to betas[0], >= 0. Default: 4e-3. */
  readonly momentumDecay?: number;
  /** Decay as AdamW does. Default: false. */
  readonly decoupledWeightDecay?: boolean;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface NAdamState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Product of the momenta of all its steps, a float32. */
  readonly muProduct: number;
  /** Running average of the gradient. */
  readonly expAvg: Float32Array<ArrayBufferLike>;
  /** Running average of its square. */
  readonly expAvgSq: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<NAdamOptions>({
  name: 'NAdam',
  rule: 'nadam',
  options: {
    lr: lr(2e-3),
    betas: betas([0.9, 0.999]),
    eps: eps(1e-8),
    weightDecay: weightDecay(0),
    momentumDecay: number(4e-3, { label: 'momentum_decay value', min: 0 }),
    decoupledWeightDecay: flag(false),
    maximize: flag(false),
  },
  state: [{ name: 'expAvg' }, { name: 'expAvgSq' }],
  counted: true,
  scalars: ['muProduct'],
});

/**
 * NAdam, as `torch.optim.NAdam` (torch/optim/nadam.py); Dozat, "Incorporating Nesterov momentum
 * into Adam" (2016), https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ.
 *
 *     g, param: decay as Adam, or as AdamW when decoupled
 *     mu(t) = beta1 * (1 - 0.96^(t * momentumDecay) / 2)
 *     muProduct = mu(1) * mu(2) * … * mu(step)
 *     expAvg   = beta1 * expAvg   + (1 - beta1) * g
 *     expAvgSq = beta2 * expAvgSq + (1 - beta2) * g²
 *     denominator = √(expAvgSq / (1 - beta2^step)) + eps
 *     param = param - lr * (1 - mu(step)) / (1 - muProduct) * g / denominator
 *     param = param - lr * mu(step + 1) / (1 - muProduct * mu(step + 1)) * expAvg / denominator
 *
 * ```ts
 * const optimizer = new NAdam(net.parameters(), { lr: 2e-3 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class NAdam extends Optimizer<NAdamOptions, NAdamState> {
  constructor(params: ParamsOrGroups<NAdamOptions>, options: NAdamOptions = {}) {
    super(schema, params, options);
  }
}
