/** Lion: the sign of an interpolated gradient. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { betas, flag } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { lr, weightDecay } from './common.ts';

/** Options of `Lion` and of its groups. */
export interface LionOptions {
  /** Learning rate, >= 0. Default: 1e-4. */
  readonly lr?: number;
  /** Weights of the average in the step and in its update, in [0, 1). Default: [0.9, 0.99]. */
  readonly betas?: readonly [number, number];
  /** Decoupled decay, >= 0. Default: 0. */
  readonly weightDecay?: number;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface LionState {
  /** Running average of the gradient. */
  readonly expAvg: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<LionOptions>({
  name: 'Lion',
  rule: 'lion',
  options: {
    lr: lr(1e-4),
    betas: betas([0.9, 0.99]),
    weightDecay: weightDecay(0),
    maximize: flag(false),
  },
  state: [{ name: 'expAvg' }],
  counted: false,
});

/**
 * Lion; Chen et al., "Symbolic discovery of optimization algorithms" (2023), program 1,
 * https://arxiv.org/abs/2302.06675. Not in torch; wants a rate 3 to 10 times below AdamW's.
 *
 *     g = maximize ? -grad : grad
 *     param = param * (1 - lr * weightDecay)
 *     param = param - lr * sign(beta1 * expAvg + (1 - beta1) * g)
 *     expAvg = beta2 * expAvg + (1 - beta2) * g
 *
 * ```ts
 * const optimizer = new Lion(net.parameters(), { lr: 1e-4 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class Lion extends Optimizer<LionOptions, LionState> {
  constructor(params: ParamsOrGroups<LionOptions>, options: LionOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
