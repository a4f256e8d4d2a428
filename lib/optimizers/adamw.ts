/** AdamW: Adam with decoupled weight decay. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { type AdamOptions, type AdamState, adamSpec } from './adam.ts';

/** Options of `AdamW`: Adam's, with `weightDecay` 0.01 by default. */
export type AdamWOptions = AdamOptions;

const schema = new Schema(adamSpec('AdamW', 'adamw', 1e-2));

/**
 * AdamW, as `torch.optim.AdamW` (torch/optim/adamw.py); Loshchilov and Hutter, "Decoupled weight
 * decay regularization" (2019), https://arxiv.org/abs/1711.05101.
 *
 *     param = param * (1 - lr * weightDecay)
 *
 * and then as Adam without its L2 penalty.
 *
 * ```ts
 * const optimizer = new AdamW(
 *   [{ params: weights }, { params: biases, weightDecay: 0 }],
 *   { lr: 3e-4 },
 * );
 * ```
 *
 * @throws {GradstepError} As Adam.
 */
export class AdamW extends Optimizer<AdamOptions, AdamState> {
  constructor(params: ParamsOrGroups<AdamWOptions>, options: AdamWOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
