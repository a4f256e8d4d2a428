/** Adadelta: steps in the units of the parameters. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, number } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `Adadelta` and of its groups. */
export interface AdadeltaOptions {
  /** Learning rate, >= 0. Default: 1.0. */
  readonly lr?: number;
  /** Decay rate of the running averages, in [0, 1]. Default: 0.9. */
  readonly rho?: number;
  /** Added inside both roots, >= 0. Default: 1e-6. */
  readonly eps?: number;
  /** L2 penalty, >= 0, added to the gradient. Default: 0. */
  readonly weightDecay?: number;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface AdadeltaState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Running average of the squared gradient. */
  readonly squareAvg: Float32Array<ArrayBufferLike>;
  /** Running average of the squared change. */
  readonly accDelta: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<AdadeltaOptions>({
  name: 'Adadelta',
  rule: 'adadelta',
  options: {
    lr: lr(1.0),
    rho: number(0.9, { label: 'rho value', min: 0, max: 1 }),
    eps: eps(1e-6),
    weightDecay: weightDecay(0),
    maximize: flag(false),
  },
  state: [{ name: 'squareAvg' }, { name: 'accDelta' }],
  counted: true,
});

/**
 * Adadelta, as `torch.optim.Adadelta` (torch/optim/adadelta.py); Zeiler (2012),
 * https://arxiv.org/abs/1212.5701.
 *
 *     g = maximize ? -grad : grad
 *     g = g + weightDecay * param
 *     squareAvg = rho * squareAvg + (1 - rho) * g²
 *     delta = √(accDelta + eps) / √(squareAvg + eps) * g
 *     accDelta = rho * accDelta + (1 - rho) * delta²
 *     param = param - lr * delta
 *
 * ```ts
 * const optimizer = new Adadelta(net.parameters(), { lr: 1.0 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class Adadelta extends Optimizer<AdadeltaOptions, AdadeltaState> {
  constructor(
    params: ParamsOrGroups<AdadeltaOptions>,
    options: AdadeltaOptions & StepOptions = {},
  ) {
    super(schema, params, options);
  }
}
