/** RMSprop, plain, centered, and with momentum. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, number } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `RMSprop` and of its groups. */
export interface RMSpropOptions {
  /** Learning rate, >= 0. Default: 1e-2. */
  readonly lr?: number;
  /** Momentum factor, >= 0; 0 keeps no buffer. Default: 0. */
  readonly momentum?: number;
  /** Smoothing constant, >= 0. Default: 0.99. */
  readonly alpha?: number;
  /** Added to the denominator, >= 0. Default: 1e-8. */
  readonly eps?: number;
  /** Divide by an estimate of the deviation instead of the root of the second moment. Default: false. */
  readonly centered?: boolean;
  /** L2 penalty, >= 0, added to the gradient. Default: 0. */
  readonly weightDecay?: number;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface RMSpropState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Running average of the squared gradient. */
  readonly squareAvg: Float32Array<ArrayBufferLike>;
  /** There once `momentum` was on. */
  readonly momentumBuffer?: Float32Array<ArrayBufferLike>;
  /** Running average of the gradient; there once `centered` was on. */
  readonly gradAvg?: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<RMSpropOptions>({
  name: 'RMSprop',
  rule: 'rmsprop',
  options: {
    lr: lr(1e-2),
    momentum: number(0, { label: 'momentum value', min: 0 }),
    alpha: number(0.99, { label: 'alpha value', min: 0 }),
    eps: eps(1e-8),
    centered: flag(false),
    weightDecay: weightDecay(0),
    maximize: flag(false),
  },
  state: [
    { name: 'squareAvg' },
    { name: 'momentumBuffer', when: 'momentum' },
    { name: 'gradAvg', when: 'centered' },
  ],
  counted: true,
});

/**
 * RMSprop, as `torch.optim.RMSprop` (torch/optim/rmsprop.py); Hinton's lecture 6e (2012), centered
 * after Graves (2013), https://arxiv.org/abs/1308.0850.
 *
 *     g = maximize ? -grad : grad
 *     g = g + weightDecay * param
 *     squareAvg = alpha * squareAvg + (1 - alpha) * g²
 *     gradAvg   = alpha * gradAvg   + (1 - alpha) * g
 *     average = √(centered ? squareAvg - gradAvg² : squareAvg) + eps
 *     momentumBuffer = momentum * momentumBuffer + g / average
 *     param = param - lr * (momentum > 0 ? momentumBuffer : g / average)
 *
 * ```ts
 * const optimizer = new RMSprop(net.parameters(), { lr: 1e-2 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class RMSprop extends Optimizer<RMSpropOptions, RMSpropState> {
  constructor(params: ParamsOrGroups<RMSpropOptions>, options: RMSpropOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
