/** Stochastic gradient descent, with momentum and Nesterov's momentum. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, number } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { lr, weightDecay } from './common.ts';

/** Options of `SGD` and of its groups. */
export interface SGDOptions {
  /** Learning rate, >= 0. Default: 1e-3. */
  readonly lr?: number;
  /** Momentum factor, >= 0; 0 keeps no state. Default: 0. */
  readonly momentum?: number;
  /** How much of each new gradient momentum leaves out. Default: 0. */
  readonly dampening?: number;
  /** L2 penalty, >= 0, added to the gradient. Default: 0. */
  readonly weightDecay?: number;
  /** Nesterov's momentum; needs momentum > 0 and dampening 0. Default: false. */
  readonly nesterov?: boolean;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter; there is none without momentum. */
export interface SGDState {
  /** The first gradient it was stepped with, then the running sum. */
  readonly momentumBuffer: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<SGDOptions>({
  name: 'SGD',
  rule: 'sgd',
  options: {
    lr: lr(1e-3),
    momentum: number(0, { label: 'momentum value', min: 0 }),
    dampening: number(0, { label: 'dampening value' }),
    weightDecay: weightDecay(0),
    nesterov: flag(false),
    maximize: flag(false),
  },
  state: [{ name: 'momentumBuffer', when: 'momentum' }],
  counted: false,
  conflict: {
    between: ['momentum', 'dampening', 'nesterov'],
    find: ({ nesterov, momentum, dampening }) =>
      nesterov && (momentum <= 0 || dampening !== 0)
        ? 'Nesterov momentum requires a momentum and zero dampening, ' +
          `but momentum is ${momentum} and dampening is ${dampening}`
        : undefined,
  },
});

/**
 * Stochastic gradient descent, as `torch.optim.SGD` (torch/optim/sgd.py).
 *
 *     g = maximize ? -grad : grad
 *     g = g + weightDecay * param
 *     momentumBuffer = momentum * momentumBuffer + (1 - dampening) * g   (at first: g)
 *     g = nesterov ? g + momentum * momentumBuffer : momentumBuffer
 *     param = param - lr * g
 *
 * The lines of an option that is 0 or false are left out. Momentum after Sutskever et al., "On
 * the importance of initialization and momentum in deep learning" (2013).
 *
 * ```ts
 * const optimizer = new SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`, `ERR_INVALID_PARAMETER`,
 * `ERR_INVALID_GROUP`, `ERR_DUPLICATE_PARAMETER`, `ERR_OVERLAP`, `ERR_NAMES`.
 */
export class SGD extends Optimizer<SGDOptions, SGDState> {
  constructor(params: ParamsOrGroups<SGDOptions>, options: SGDOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
