/** AdEMAMix: AdamW with a second, slow average of the gradient. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, number, triple } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `AdEMAMix` and of its groups. */
export interface AdEMAMixOptions {
  /** Learning rate, >= 0. Default: 1e-3. */
  readonly lr?: number;
  /**
   * Decay rates of the fast average of the gradient, of that of its square, and of the slow one, in
   * [0, 1). Default: [0.9, 0.999, 0.9999].
   */
  readonly betas?: readonly [number, number, number];
  /** How much the slow average counts, >= 0. Default: 5. */
  readonly alpha?: number;
  /** Over how many steps `alpha` rises from 0, >= 0. Default: 0. */
  readonly alphaWarmup?: number;
  /** Added to the root in the denominator, >= 0. Default: 1e-8. */
  readonly eps?: number;
  /** Decoupled decay, >= 0. Default: 0. */
  readonly weightDecay?: number;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface AdEMAMixState {
  /** How often it has been stepped. */
  readonly step: number;
  /** The fast average of the gradient. */
  readonly expAvg: Float32Array<ArrayBufferLike>;
  /** The slow one. */
  readonly expAvgSlow: Float32Array<ArrayBufferLike>;
  /** Running average of the square. */
  readonly expAvgSq: Float32Array<ArrayBufferLike>;
}

const beta = (i: number) => ({ label: `beta parameter at index ${i}`, min: 0, below: 1 });

const schema = new Schema<AdEMAMixOptions>({
  name: 'AdEMAMix',
  rule: 'ademamix',
  options: {
    lr: lr(1e-3),
    betas: triple([0.9, 0.999, 0.9999], ['beta1', 'beta2', 'beta3'], beta),
    alpha: number(5, { label: 'alpha value', min: 0 }),
    eps: eps(1e-8),
    weightDecay: weightDecay(0),
    alphaWarmup: number(0, { label: 'alphaWarmup value', min: 0 }),
    maximize: flag(false),
  },
  state: [{ name: 'expAvg' }, { name: 'expAvgSlow' }, { name: 'expAvgSq' }],
  counted: true,
});

/**
 * AdEMAMix; Pagliardini, Ablin and Grangier, "The AdEMAMix optimizer: better, faster, older" (2024),
 * algorithm 1, https://arxiv.org/abs/2409.03137. Not in torch. The paper's warm-up of the slow
 * decay rate is not here.
 *
 *     expAvg     = beta1 * expAvg     + (1 - beta1) * g
 *     expAvgSlow = beta3 * expAvgSlow + (1 - beta3) * g
 *     expAvgSq   = beta2 * expAvgSq   + (1 - beta2) * g²
 *     a = alpha * min(1, step / alphaWarmup)
 *     u = (expAvg / (1 - beta1^step) + a * expAvgSlow) / (√expAvgSq / √(1 - beta2^step) + eps)
 *     param = param - lr * (u + weightDecay * param)
 *
 * ```ts
 * const optimizer = new AdEMAMix(net.parameters(), { lr: 3e-4, alphaWarmup: 10_000 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class AdEMAMix extends Optimizer<AdEMAMixOptions, AdEMAMixState> {
  constructor(
    params: ParamsOrGroups<AdEMAMixOptions>,
    options: AdEMAMixOptions & StepOptions = {},
  ) {
    super(schema, params, options);
  }
}
