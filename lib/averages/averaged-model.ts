/** An average whose arithmetic is a function of the user's. */

import { checkOptions } from '../groups/group-input.ts';
import { Schema } from '../options/schema.ts';
import type { ParamsInput } from '../parameters/list-params.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ownProperties } from '../support/own-properties.ts';
import { Average } from './average.ts';
import type { AverageFunction } from './function-rule.ts';
import { type AverageOptions, type PaceOptions, paceOptions } from './options.ts';

/** Options of `AveragedModel`. */
export interface AveragedModelOptions extends AverageOptions {
  /** How an update takes the values of a parameter into its average, in place. */
  readonly avgFn: AverageFunction;
}

const schema = new Schema<PaceOptions>({
  name: 'AveragedModel',
  rule: 'AveragedModel',
  options: paceOptions,
  state: [],
  counted: true,
});

/**
 * An average by a function of yours, as `torch.optim.swa_utils.AveragedModel` with an `avg_fn`
 * (torch/optim/swa_utils.py). It runs in JavaScript, on every backend, once for each parameter; the
 * first update copies without it. As with an optimizer of your own, what it has written before it
 * throws (`ERR_UPDATE`) stays.
 *
 * ```ts
 * const slowest = new AveragedModel(net.parameters(), {
 *   avgFn(average, values) {
 *     for (let i = 0; i < average.length; i++) average[i] = Math.min(average[i]!, values[i]!);
 *   },
 * }).attach(optimizer);
 * ```
 *
 * @throws {GradstepError} As `EMA`, and `ERR_INVALID_ARGUMENT` for an `avgFn` that is no function.
 */
export class AveragedModel extends Average<PaceOptions> {
  constructor(params: ParamsInput, options: AveragedModelOptions) {
    const { avgFn, ...others } = ownProperties(checkOptions(options, null));
    if (typeof avgFn !== 'function') {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected avgFn to be a function but received ${describe(avgFn)}`,
      );
    }
    super(schema, params, others, avgFn);
  }
}
