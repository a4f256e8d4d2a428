/** LARS: SGD whose gradient is scaled by norms. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, number } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { eps, lr, weightDecay } from './common.ts';

/** Options of `LARS` and of its groups. */
export interface LARSOptions {
  /** Learning rate, >= 0. Default: 1. */
  readonly lr?: number;
  /** Momentum factor, >= 0; 0 keeps no state. Default: 0. */
  readonly momentum?: number;
  /** What the momentum leaves out of a new gradient. Default: 0. */
  readonly dampening?: number;
  /** L2 penalty, >= 0. Default: 0. */
  readonly weightDecay?: number;
  /** Nesterov's momentum; needs a momentum and no dampening. Default: false. */
  readonly nesterov?: boolean;
  /** How far a step goes, of the norm of the parameter, >= 0. Default: 1e-3. */
  readonly trustCoeff?: number;
  /** Added to the norms in the denominator, >= 0. Default: 1e-8. */
  readonly eps?: number;
  /** Whether the ratio of norms is used without decay too, as in the paper. Default: true. */
  readonly alwaysAdapt?: boolean;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step with momentum. */
export interface LARSState {
  /** Running sum of the gradients; there once `momentum` was on. */
  readonly momentumBuffer?: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<LARSOptions>({
  name: 'LARS',
  rule: 'lars',
  options: {
    lr: lr(1),
    momentum: number(0, { label: 'momentum value', min: 0 }),
    dampening: number(0, { label: 'dampening value' }),
    weightDecay: weightDecay(0),
    nesterov: flag(false),
    trustCoeff: number(1e-3, { label: 'trust_coeff value', min: 0 }),
    eps: eps(1e-8),
    alwaysAdapt: flag(true),
    maximize: flag(false),
  },
  state: [{ name: 'momentumBuffer', when: 'momentum' }],
  counted: false,
  whole: true,
  conflict: {
    between: ['nesterov', 'momentum', 'dampening'],
    find: ({ nesterov, momentum, dampening }) =>
      nesterov && (momentum <= 0 || dampening !== 0)
        ? 'Nesterov momentum requires a momentum and zero dampening'
        : undefined,
  },
});

/**
 * LARS; You, Gitman and Ginsburg, "Large batch training of convolutional networks" (2017),
 * https://arxiv.org/abs/1708.03888, where `alwaysAdapt: false` steps a parameter without
 * decay as SGD does, which is timm's default. Not in torch.
 *
 *     ratio = trustCoeff * ‖param‖ / (‖g‖ + weightDecay * ‖param‖ + eps)   (a norm of 0: 1)
 *     g = ratio * (g + weightDecay * param), and then as SGD
 *
 * ```ts
 * const optimizer = new LARS(weights, { lr: 4, momentum: 0.9, weightDecay: 1e-4 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class LARS extends Optimizer<LARSOptions, LARSState> {
  constructor(params: ParamsOrGroups<LARSOptions>, options: LARSOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
