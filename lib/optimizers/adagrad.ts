/** Adagrad: rates that fall with the sum of squared gradients. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, number } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `Adagrad` and of its groups. */
export interface AdagradOptions {
  /** Learning rate, >= 0. Default: 1e-2. */
  readonly lr?: number;
  /** How fast lr falls with the steps, >= 0. Default: 0. */
  readonly lrDecay?: number;
  /** Added to the denominator, >= 0. Default: 1e-10. */
  readonly eps?: number;
  /** L2 penalty, >= 0, added to the gradient. Default: 0. */
  readonly weightDecay?: number;
  /** Where the sum starts, >= 0. Default: 0. */
  readonly initialAccumulatorValue?: number;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface AdagradState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Sum of the squared gradients. */
  readonly sum: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<AdagradOptions>({
  name: 'Adagrad',
  rule: 'adagrad',
  options: {
    lr: lr(1e-2),
    lrDecay: number(0, { label: 'lr_decay value', min: 0 }),
    eps: eps(1e-10),
    weightDecay: weightDecay(0),
    initialAccumulatorValue: number(0, { label: 'initial_accumulator_value value', min: 0 }),
    maximize: flag(false),
  },
  state: [{ name: 'sum' }],
  counted: true,
});

/**
 * Adagrad, as `torch.optim.Adagrad` (torch/optim/adagrad.py); Duchi, Hazan and Singer, "Adaptive
 * subgradient methods" (2011). Every group starts from its own `initialAccumulatorValue`.
 *
 *     g = maximize ? -grad : grad
 *     g = g + weightDecay * param
 *     sum = sum + g²
 *     param = param - lr / (1 + (step - 1) * lrDecay) * g / (√sum + eps)
 *
 * ```ts
 * const optimizer = new Adagrad(net.parameters(), { lr: 1e-2 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class Adagrad extends Optimizer<AdagradOptions, AdagradState> {
  constructor(params: ParamsOrGroups<AdagradOptions>, options: AdagradOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
