/** Exponential moving average of parameters. */

import { decayAfter } from '../backend/portable/rules/average.ts';
import { number } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { ParamsInput } from '../parameters/list-params.ts';
import { refuseWrites } from '../support/read-only.ts';
import { Average } from './average.ts';
import { type AverageOptions, decay, form, paceOptions } from './options.ts';

/** Options of `EMA`. */
export interface EMAOptions extends AverageOptions {
  /** The share of the average that stays at each update, in [0, 1]. Default: 0.999. */
  readonly decay?: number;
  /**
   * Lets the decay warm up, so that the average soon forgets the beginning: after n updates it is
   * 1 - (1 + n / warmupGamma)^-warmupPower, but at most `decay`. 1 gives the mean of all updates
   * until `decay` is reached, 2/3 suits runs of a million steps and more, 3/4 shorter ones. 0 or
   * more. Default: 0, no warm-up.
   */
  readonly warmupPower?: number;
  /** How much later the decay grows, > 0. Default: 1. */
  readonly warmupGamma?: number;
  /** The least decay of the warm-up, in [0, 1]. Default: 0. */
  readonly minDecay?: number;
  /**
   * The arithmetic: 'lerp' as torch's `get_ema_multi_avg_fn`, or 'mulAdd' as its
   * `get_ema_avg_fn`, whose last bits differ. Default: 'lerp'.
   */
  readonly form?: 'lerp' | 'mulAdd';
}

type Own = Omit<EMAOptions, 'buffers'>;

const schema = new Schema<Own>({
  name: 'EMA',
  rule: 'ema',
  options: {
    decay: decay(0.999),
    form: form('mulAdd', 'lerp'),
    warmupPower: number(0, { min: 0 }),
    warmupGamma: number(1, { above: 0 }),
    minDecay: number(0, { min: 0, max: 1 }),
    ...paceOptions,
  },
  state: [],
  counted: true,
});

/**
 * An exponential moving average of parameters, as `torch.optim.swa_utils.AveragedModel` with an
 * EMA function (torch/optim/swa_utils.py), without a copy of the model:
 *
 *     average = param                                          (the first update)
 *     average = average + (1 - decay) * (param - average)      ('lerp')
 *     average = decay * average + (1 - decay) * param          ('mulAdd')
 *
 * The warm-up of the decay is that of timm's `ModelEmaV3` (timm/utils/model_ema.py) and of
 * ema-pytorch, whose `updateEvery` and `updateAfterStep` these are too. After Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992).
 *
 * ```ts
 * const ema = new EMA(net.parameters(), { decay: 0.999 }).attach(optimizer);
 * for (const batch of batches) {
 *   computeGradients(batch);
 *   optimizer.step(); // updates the average too
 * }
 * ema.swap();
 * evaluate(net); // with the averages
 * ema.restore();
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`, `ERR_INVALID_PARAMETER`,
 * `ERR_DUPLICATE_PARAMETER`, `ERR_NAMES`, `ERR_DETACHED`, `ERR_OUT_OF_MEMORY`.
 */
export class EMA extends Average<Own> {
  static {
    refuseWrites(EMA.prototype);
  }

  constructor(params: ParamsInput, options: EMAOptions = {}) {
    super(schema, params, options);
  }

  /** May be set at any time; counts from the next update on. */
  get decay(): number {
    return this.options.decay;
  }

  set decay(value: number) {
    this.setOptions({ decay: value });
  }

  /** The decay of the next update: `decay`, or less where that warms up. */
  get currentDecay(): number {
    const { decay: most, warmupPower, warmupGamma, minDecay } = this.options;
    return decayAfter(this.nAveraged, most, warmupPower, warmupGamma, minDecay);
  }

  /** The arithmetic. */
  get form(): 'lerp' | 'mulAdd' {
    return this.options.form;
  }
}
