/** LAMB: Adam's direction, as long as the parameter is. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { betas, flag } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `LAMB` and of its groups. */
export interface LAMBOptions {
  /** Learning rate, >= 0. Default: 1e-3. */
  readonly lr?: number;
  /** Decay rates of the averages of the gradient and of its square, in [0, 1). Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root in the denominator, >= 0. Default: 1e-6. */
  readonly eps?: number;
  /** Decay, >= 0, added to the update before its norm. Default: 0.01. */
  readonly weightDecay?: number;
  /** Whether the averages are corrected for their start, as Adam's. Default: true. */
  readonly biasCorrection?: boolean;
  /** Whether the ratio of norms is used without decay too, as in the paper. Default: true. */
  readonly alwaysAdapt?: boolean;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface LAMBState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Running average of the gradient. */
  readonly expAvg: Float32Array<ArrayBufferLike>;
  /** Running average of its square. */
  readonly expAvgSq: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<LAMBOptions>({
  name: 'LAMB',
  rule: 'lamb',
  options: {
    lr: lr(1e-3),
    betas: betas([0.9, 0.999]),
    eps: eps(1e-6),
    weightDecay: weightDecay(1e-2),
    biasCorrection: flag(true),
    alwaysAdapt: flag(true),
    maximize: flag(false),
  },
  state: [{ name: 'expAvg' }, { name: 'expAvgSq' }],
  counted: true,
  whole: true,
});

/**
 * LAMB; You et al., "Large batch optimization for deep learning" (2019), algorithm 2,
 * https://arxiv.org/abs/1904.00962, where `alwaysAdapt: false` steps a parameter
 * without decay as Adam does, which is timm's default. Not in torch.
 *
 *     expAvg, expAvgSq as Adam's
 *     u = expAvg / (1 - beta1^step) / (√expAvgSq / √(1 - beta2^step) + eps) + weightDecay * param
 *     param = param - lr * ‖param‖ / ‖u‖ * u        (a norm of 0: ratio 1)
 *
 * ```ts
 * const optimizer = new LAMB([{ params: weights }, { params: biases, weightDecay: 0 }]);
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class LAMB extends Optimizer<LAMBOptions, LAMBState> {
  constructor(params: ParamsOrGroups<LAMBOptions>, options: LAMBOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
