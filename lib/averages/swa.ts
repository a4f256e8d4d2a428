/** Stochastic weight averaging. */

import { Schema } from '../options/schema.ts';
import type { ParamsInput } from '../parameters/list-params.ts';
import { refuseWrites } from '../support/read-only.ts';
import { Average } from './average.ts';
import { type AverageOptions, form, paceOptions } from './options.ts';

/** Options of `SWA`. */
export interface SWAOptions extends AverageOptions {
  /**
   * The arithmetic: 'divide' as torch's `get_swa_avg_fn`, or 'lerp' as its
   * `get_swa_multi_avg_fn`, whose last bits differ. Default: 'divide', as `AveragedModel` on a CPU.
   */
  readonly form?: 'divide' | 'lerp';
}

type Own = Omit<SWAOptions, 'buffers'>;

const schema = new Schema<Own>({
  name: 'SWA',
  rule: 'swa',
  options: { form: form('divide', 'divide'), ...paceOptions },
  state: [],
  counted: true,
});

/**
 * The mean of parameters over all updates, as `torch.optim.swa_utils.AveragedModel`
 * (torch/optim/swa_utils.py); Izmailov et al., "Averaging weights leads to wider optima and better
 * generalization" (2018), https://arxiv.org/abs/1803.05407. With n updates before this one:
 *
 *     average = param                                          (n = 0)
 *     average = average + (param - average) / (n + 1)          ('divide')
 *     average = average + 1 / (n + 1) * (param - average)      ('lerp')
 *
 * ```ts
 * const swa = new SWA(net.parameters(), { updateAfterStep: 75 });
 * for (let epoch = 0; epoch < 100; epoch++) {
 *   trainOneEpoch();
 *   swa.update();
 * }
 * swa.swap(); // the parameters are the mean now
 * ```
 *
 * @throws {GradstepError} As `EMA`.
 */
export class SWA extends Average<Own> {
  static {
    refuseWrites(SWA.prototype);
  }

  constructor(params: ParamsInput, options: SWAOptions = {}) {
    super(schema, params, options);
  }

  /** The arithmetic. */
  get form(): 'divide' | 'lerp' {
    return this.options.form;
  }
}
