/** Cosine annealing, down and up again. */

import { integer, optional, real, required } from '../schedules/arguments.ts';
import { cos } from '../support/cosine.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import { notBelowZero } from './rounding.ts';
import type { SchedulableOptimizer } from './scheduled-groups.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** Options of `CosineAnnealingLR`. */
export interface CosineAnnealingLROptions {
  /** Epochs of half a wave, >= 1. */
  readonly TMax: number;
  /** The least lr, >= 0. Default: 0. */
  readonly etaMin?: number;
}

const spec: SchedulerSpec<CosineAnnealingLROptions> = {
  name: 'CosineAnnealingLR',
  arguments: {
    TMax: required(integer(1)),
    etaMin: optional(real({ min: 0 }), 0),
  },
};

/**
 * As `torch.optim.lr_scheduler.CosineAnnealingLR`.
 *
 *     lr = etaMin + (lr - etaMin) * (1 + cos(π epoch / TMax)) / (1 + cos(π (epoch - 1) / TMax))
 *     after a bottom: lr + (baseLr - etaMin) * (1 - cos(π / TMax)) / 2
 *     closed form, where a run is resumed too: etaMin + (baseLr - etaMin) * (1 + cos(π epoch / TMax)) / 2
 *
 * Loshchilov and Hutter, "SGDR" (2017), https://arxiv.org/abs/1608.03983, without restarts.
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class CosineAnnealingLR extends LRScheduler<CosineAnnealingLROptions> {
  constructor(
    optimizer: SchedulableOptimizer,
    options: CosineAnnealingLROptions & LRSchedulerOptions,
  ) {
    super(spec, optimizer, options);
  }

  protected override getLr(): number[] {
    const { TMax, etaMin } = this.options;
    const epoch = this.lastEpoch;
    if (epoch === 0) return this.groups().map(({ lr }) => lr);
    if (this.progress.stepCount === 1) return this.getClosedFormLr();
    if ((epoch - 1 - TMax) % (2 * TMax) === 0) return this.leaveBottom();
    const wave = (t: number) => 1 + cos((Math.PI * t) / TMax);
    const factor = wave(epoch) / wave(epoch - 1);
    return this.groups().map(({ lr }) => notBelowZero(factor * (lr - etaMin) + etaMin, etaMin));
  }

  /** At the bottom the factor would be over 0, so the way up starts from the base lr. */
  private leaveBottom(): number[] {
    const { TMax, etaMin } = this.options;
    const bases = this.baseLrs;
    const rise = 1 - cos(Math.PI / TMax);
    return this.groups().map(({ lr }, i) => lr + ((bases[i]! - etaMin) * rise) / 2);
  }

  protected override getClosedFormLr(): number[] {
    const { TMax, etaMin } = this.options;
    const wave = 1 + cos((Math.PI * this.lastEpoch) / TMax);
    return this.baseLrs.map((base) => etaMin + ((base - etaMin) * wave) / 2);
  }
}
