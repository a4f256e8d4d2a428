/** A lower lr when a metric has stopped improving. */

import { integer, oneOf, optional, perGroup, real } from '../schedules/arguments.ts';
import { checkStep } from '../schedules/schedule-function.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import type { SchedulableGroup, SchedulableOptimizer } from './scheduled-groups.ts';
import { type SchedulerSpec, spread } from './scheduler-options.ts';

/** Options of `ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** Whether a better metric is less or more. Default: 'min'. */
  readonly mode?: 'min' | 'max';
  /** The factor on lr, in [0, 1). Default: 0.1. */
  readonly factor?: number;
  /** Epochs without improvement that are waited for, >= 0. Default: 10. */
  readonly patience?: number;
  /**
   * How much better counts as better, >= 0. Default: 1e-4. As torch's, a relative one turns round
   * where metrics are negative: one that is a little worse than the best counts as better then,
   * so that lr may never be reduced. Give those `thresholdMode: 'abs'`.
   */
  readonly threshold?: number;
  /** Whether `threshold` is a part of the best metric or a difference from it. Default: 'rel'. */
  readonly thresholdMode?: 'rel' | 'abs';
  /** Epochs after a reduction in which bad ones do not count, >= 0. Default: 0. */
  readonly cooldown?: number;
  /** The least lr, one or one per group, >= 0. Default: 0. */
  readonly minLr?: number | readonly number[];
  /** A reduction by no more than this is left out, >= 0. Default: 1e-8. */
  readonly eps?: number;
}

interface Plateau {
  /** The best metric so far. */
  best: number | null;
  numBadEpochs: number;
  cooldownCounter: number;
  /** What the reductions so far come to, for each group. */
  scales: readonly number[];
}

const spec: SchedulerSpec<ReduceLROnPlateauOptions, Plateau> = {
  name: 'ReduceLROnPlateau',
  arguments: {
    mode: optional(
      oneOf(['min', 'max'], (value) => `mode ${value} is unknown!`),
      'min',
    ),
    factor: optional(real({ min: 0, below: 1 }, 'Factor should be < 1.0.'), 0.1),
    patience: optional(integer(0), 10),
    threshold: optional(real({ min: 0 }), 1e-4),
    thresholdMode: optional(
      oneOf(['rel', 'abs'], (value) => `threshold mode ${value} is unknown!`),
      'rel',
    ),
    cooldown: optional(integer(0), 0),
    minLr: optional(perGroup(real({ min: 0 })), 0),
    eps: optional(real({ min: 0 }), 1e-8),
  },
  progress: { best: null, numBadEpochs: 0, cooldownCounter: 0, scales: [] },
};

/**
 * As `torch.optim.lr_scheduler.ReduceLROnPlateau`.
 *
 *     lr = max(lr * factor, minLr)     when more than `patience` epochs were not better
 *     better: metric < best * (1 - threshold), or > best * (1 + threshold) where mode is 'max';
 *     'abs': metric < best - threshold, or > best + threshold
 *
 * It may stand in a `SequentialLR` or a `ChainedScheduler`, whose `step(metric)` hands the metric
 * on; beside others in a chain its reductions stay in force whatever they set.
 *
 * ```ts
 * const scheduler = new ReduceLROnPlateau(optimizer, { mode: 'min', patience: 5 });
 * for (const epoch of epochs) scheduler.step(validate());
 * ```
 *
 * @throws {GradstepError} As `LRScheduler`.
 */
export class ReduceLROnPlateau extends LRScheduler<ReduceLROnPlateauOptions, Plateau> {
  constructor(
    optimizer: SchedulableOptimizer,
    options: ReduceLROnPlateauOptions & LRSchedulerOptions = {},
  ) {
    super(spec, optimizer, options);
  }

  protected override check(): void {
    const { minLr } = this.options;
    const count = this.groups().length;
    if (Array.isArray(minLr) && minLr.length !== count) {
      throw new GradstepError(
        'ERR_INVALID_OPTION',
        `expected ${count} min_lrs, got ${minLr.length}. Expected minLr to be one number, or ` +
          `one for each group, but received ${minLr.length}`,
      );
    }
  }

  /** The best metric so far, if there has been one. */
  get best(): number | undefined {
    return this.progress.best ?? undefined;
  }

  /** Whether it waits after a reduction. */
  get inCooldown(): boolean {
    return this.progress.cooldownCounter > 0;
  }

  /**
   * Looks at the metric of an epoch, such as the validation loss.
   *
   * @param epoch The epoch's number. Default: one more than the last.
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` when the metric is no number.
   */
  override step(metrics?: number, epoch?: number): void {
    checkMetric(metrics);
    if (epoch !== undefined) checkStep(epoch);
    this.attempt(() => this.move(epoch, metrics));
  }

  protected override update(jumped: boolean, metrics: number | undefined): void {
    const begins = this.progress.stepCount === 1 || (jumped && metrics === undefined);
    if (begins) super.update(jumped, metrics);
    else this.observe(checkMetric(metrics));
  }

  private observe(metric: number): void {
    const { progress } = this;
    if (this.isBetter(metric)) {
      progress.best = metric;
      progress.numBadEpochs = 0;
    } else {
      progress.numBadEpochs++;
    }
    if (this.inCooldown) {
      progress.cooldownCounter--;
      progress.numBadEpochs = 0;
    }
    if (progress.numBadEpochs > this.options.patience) this.reduce();
    else this.write(this.getLr());
  }

  private isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const { best } = this.progress;
    const sign = mode === 'min' ? -1 : 1;
    if (best === null) return metric * sign > -Infinity; // false for NaN
    const goal = thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
    return mode === 'min' ? metric < goal : metric > goal;
  }

  private reduce(): void {
    const { factor, eps, cooldown } = this.options;
    const groups = this.groups();
    const least = this.minLrs(groups.length);
    const lrs = groups.map(({ lr }, i) => {
      const reduced = Math.max(lr * factor, least[i]!);
      return lr - reduced > eps ? reduced : lr;
    });
    const { scales } = this.progress;
    this.progress.scales = groups.map(({ lr }, i) => (scales[i] ?? 1) * (lr ? lrs[i]! / lr : 1));
    this.write(lrs);
    this.progress.cooldownCounter = cooldown;
    this.progress.numBadEpochs = 0;
  }

  private minLrs(count: number): readonly number[] {
    const { minLr } = this.options;
    if (typeof minLr === 'number' || minLr.length === count) {
      return spread(minLr, count, 'minLr', 'min_lr');
    }
    throw new GradstepError(
      'ERR_INVALID_OPTION',
      `The number of param groups in the \`optimizer\` (${count}) differs from when ` +
        `\`ReduceLROnPlateau\` was initialized (${minLr.length}), usually due to a new param ` +
        'group being added to the optimizer. Assign to options.minLr as many values as there are groups',
    );
  }

  protected override getLr(): number[] {
    return this.groups().map(({ lr }) => lr);
  }

  /** Where another scheduler has been at work it begins at the base lr, as others do. */
  protected override getClosedFormLr(): number[] {
    return this.baseLrs;
  }

  override reset(): void {
    super.reset();
    Object.assign(this.progress, spec.progress);
  }

  override scales(): ReadonlyMap<SchedulableGroup, number> {
    const { scales } = this.progress;
    return new Map(this.groups().map((group, i) => [group, scales[i] ?? 1]));
  }
}

function checkMetric(metric: unknown): number {
  if (typeof metric === 'number') return metric;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    'Expected the metric of ReduceLROnPlateau, as step(metric), to be a number ' +
      `but received ${describe(metric)}`,
  );
}
