/** Rprop: steps that depend on the sign of the gradient only. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, pair } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { lr } from './common.ts';

/** Options of `Rprop` and of its groups. */
export interface RpropOptions {
  /** Where the step sizes start, >= 0. Default: 1e-2. */
  readonly lr?: number;
  /** Factors for a turned and for a kept sign: 0 < etas[0] < 1 < etas[1]. Default: [0.5, 1.2]. */
  readonly etas?: readonly [number, number];
  /** Smallest and largest step size, >= 0. Default: [1e-6, 50]. */
  readonly stepSizes?: readonly [number, number];
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface RpropState {
  /** How often it has been stepped. */
  readonly step: number;
  /** The last gradient, 0 where it had turned. */
  readonly prev: Float32Array<ArrayBufferLike>;
  /** The step size of each value. */
  readonly stepSize: Float32Array<ArrayBufferLike>;
}

const schema = new Schema<RpropOptions>({
  name: 'Rprop',
  rule: 'rprop',
  options: {
    lr: lr(1e-2),
    etas: pair(
      [0.5, 1.2],
      ['etaMinus', 'etaPlus'],
      [
        { label: 'eta values', above: 0, below: 1 },
        { label: 'eta values', above: 1 },
      ],
    ),
    stepSizes: pair(
      [1e-6, 50],
      ['stepSizeMin', 'stepSizeMax'],
      [
        { label: 'step sizes', min: 0 },
        { label: 'step sizes', min: 0 },
      ],
    ),
    maximize: flag(false),
  },
  state: [{ name: 'prev' }, { name: 'stepSize' }],
  counted: true,
  conflict: {
    between: ['stepSizes'],
    find: ({ stepSizes: [least, largest] }) =>
      least > largest
        ? `Invalid step sizes: ${least}, ${largest}. Expected the smallest first`
        : undefined,
  },
});

/**
 * Rprop, as `torch.optim.Rprop` (torch/optim/rprop.py); Riedmiller and Braun (1993). For full
 * batches: the size of a gradient does not matter.
 *
 *     g = maximize ? -grad : grad
 *     stepSize = clamp(stepSize * (g * prev > 0 ? etas[1] : g * prev < 0 ? etas[0] : 1))
 *     g = g * prev < 0 ? 0 : g
 *     param = param - sign(g) * stepSize
 *     prev = g
 *
 * ```ts
 * const optimizer = new Rprop(net.parameters(), { lr: 1e-2 });
 * ```
 *
 * @throws {GradstepError} As `Adam`.
 */
export class Rprop extends Optimizer<RpropOptions, RpropState> {
  constructor(params: ParamsOrGroups<RpropOptions>, options: RpropOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
