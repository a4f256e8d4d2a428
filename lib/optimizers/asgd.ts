/** ASGD: stochastic gradient descent whose iterates are averaged. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, number } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import { lr, weightDecay } from './common.ts';

/** Options of `ASGD` and of its groups. */
export interface ASGDOptions {
  /** Learning rate of the first step, >= 0. Default: 1e-2. */
  readonly lr?: number;
  /** Decay of the parameters, and how fast the rate falls with it. Default: 1e-4. */
  readonly lambd?: number;
  /** Power by which the rate falls. Default: 0.75. */
  readonly alpha?: number;
  /** The step at which averaging begins. Default: 1e6. */
  readonly t0?: number;
  /** L2 penalty, >= 0, added to the gradient. Default: 0. */
  readonly weightDecay?: number;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface ASGDState {
  /** How often it has been stepped. */
  readonly step: number;
  /** The rate of the next step, a float32. */
  readonly eta: number;
  /** The weight of the next step in the average, a float32; 1 before averaging begins. */
  readonly mu: number;
  /** The averaged parameter; the parameter itself before averaging begins. */
  readonly ax: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<ASGDOptions>({
  name: 'ASGD',
  rule: 'asgd',
  options: {
    lr: lr(1e-2),
    lambd: number(1e-4, { label: 'lambd value' }),
    alpha: number(0.75, { label: 'alpha value' }),
    t0: number(1e6, { label: 't0 value' }),
    weightDecay: weightDecay(0),
    maximize: flag(false),
  },
  state: [{ name: 'ax' }],
  counted: true,
  scalars: ['eta', 'mu'],
});

/**
 * Averaged SGD, as `torch.optim.ASGD` (torch/optim/asgd.py); Polyak and Juditsky, "Acceleration
 * of stochastic approximation by averaging" (1992). The parameters go on as they are; their
 * average is the state `ax`. A new `lr` counts from the step after the next, since each step
 * leaves the rate of the next.
 *
 *     g = maximize ? -grad : grad
 *     g = g + weightDecay * param
 *     param = param * (1 - lambd * eta) - eta * g
 *     ax = mu == 1 ? param : ax + mu * (param - ax)
 *     eta = lr / (1 + lambd * lr * step)^alpha
 *     mu = 1 / max(1, step - t0)
 *
 * where eta starts as lr, and mu as 1.
 *
 * ```ts
 * const optimizer = new ASGD(net.parameters(), { lr: 1e-2, t0: 10_000 });
 * ```
 *
 * @throws {GradstepError} As `Adam`; at a step, `ERR_OVERFLOW` when a negative `lambd` or `alpha`
 * makes a rate that is no float32.
 */
export class ASGD extends Optimizer<ASGDOptions, ASGDState> {
  constructor(params: ParamsOrGroups<ASGDOptions>, options: ASGDOptions = {}) {
    super(schema, params, options);
  }
}
