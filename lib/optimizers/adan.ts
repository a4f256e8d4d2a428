/** Adan: Nesterov's momentum from the differences of gradients. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, triple } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `Adan` and of its groups. */
export interface AdanOptions {
  /** Learning rate, >= 0. Default: 1e-3. */
  readonly lr?: number;
  /**
   * Decay rates of the averages of the gradient, of its changes, and of squares, in [0, 1).
   * Default: [0.98, 0.92, 0.99].
   */
  readonly betas?: readonly [number, number, number];
  /** Added to the root in the denominator, >= 0. Default: 1e-8. */
  readonly eps?: number;
  /** Decay, >= 0. Default: 0. */
  readonly weightDecay?: number;
  /** Whether the decay is AdamW's, in front of the step, not a division behind it. Default: false. */
  readonly noProx?: boolean;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface AdanState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Running average of the gradient. */
  readonly expAvg: Float32Array<ArrayBufferLike>;
  /** Running average of how it changes from step to step. */
  readonly expAvgDiff: Float32Array<ArrayBufferLike>;
  /** Running average of the square of the gradient ahead. */
  readonly expAvgSq: Float32Array<ArrayBufferLike>;
  /** The gradient of the last step. */
  readonly previousGrad: Float32Array<ArrayBufferLike>;
}

const beta = (i: number) => ({ label: `beta parameter at index ${i}`, min: 0, below: 1 });

const schema = new Schema<AdanOptions>({
  name: 'Adan',
  rule: 'adan',
  options: {
    lr: lr(1e-3),
    betas: triple([0.98, 0.92, 0.99], ['beta1', 'beta2', 'beta3'], beta),
    eps: eps(1e-8),
    weightDecay: weightDecay(0),
    noProx: flag(false),
    maximize: flag(false),
  },
  state: [
    { name: 'expAvg' },
    { name: 'expAvgDiff' },
    { name: 'expAvgSq' },
    { name: 'previousGrad' },
  ],
  counted: true,
});

/**
 * Adan; Xie et al., "Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models"
 * (2022), algorithm 1, https://arxiv.org/abs/2208.06677. Not in torch. `betas` are one minus the
 * paper's, as in its authors' code.
 *
 *     d = step == 1 ? 0 : g - previousGrad
 *     expAvg     = beta1 * expAvg     + (1 - beta1) * g
 *     expAvgDiff = beta2 * expAvgDiff + (1 - beta2) * d
 *     expAvgSq   = beta3 * expAvgSq   + (1 - beta3) * (g + beta2 * d)²
 *     v = √expAvgSq / √(1 - beta3^step) + eps
 *     param = param - lr / (1 - beta1^step) * expAvg / v
 *     param = param - lr * beta2 / (1 - beta2^step) * expAvgDiff / v
 *     param = param / (1 + lr * weightDecay)
 *
 * ```ts
 * const optimizer = new Adan(net.parameters(), { lr: 1e-3, weightDecay: 0.02 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class Adan extends Optimizer<AdanOptions, AdanState> {
  constructor(params: ParamsOrGroups<AdanOptions>, options: AdanOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
