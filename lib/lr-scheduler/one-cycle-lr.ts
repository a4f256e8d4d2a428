/** The one-cycle policy: lr up and far down, momentum down and up. */

import {
  flag,
  integer,
  omissible,
  oneOf,
  optional,
  perGroup,
  real,
  required,
} from '../schedules/arguments.ts';
import { anneal, type Corner, type PhasePoint, phaseAt } from '../schedules/one-cycle.ts';
import { GradstepError } from '../support/errors.ts';
import { LRScheduler, type LRSchedulerOptions } from './lr-scheduler.ts';
import { checkMomentum } from './momentum.ts';
import { notAboveEnds } from './rounding.ts';
import type { SchedulableGroup, SchedulableOptimizer } from './scheduled-groups.ts';
import { type SchedulerSpec, spread } from './scheduler-options.ts';

/** Options of `OneCycleLR`: `maxLr`, and `totalSteps` or `epochs` with `stepsPerEpoch`. */
export interface OneCycleLROptions {
  /** The largest lr, one or one per group, >= 0. */
  readonly maxLr: number | readonly number[];
  /** Steps of the whole cycle. Default: epochs * stepsPerEpoch. */
  readonly totalSteps?: number | undefined;
  readonly epochs?: number | undefined;
  readonly stepsPerEpoch?: number | undefined;
  /** The part of the cycle that goes up, in [0, 1]. Default: 0.3. */
  readonly pctStart?: number;
  /** The shape of each phase. Default: 'cos'. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** Move momentum, or beta1, against the lr. Default: true. */
  readonly cycleMomentum?: boolean;
  /** The least momentum, one or one per group. Default: 0.85. */
  readonly baseMomentum?: number | readonly number[];
  /** The largest momentum. Default: 0.95. */
  readonly maxMomentum?: number | readonly number[];
  /** The lr starts at maxLr / divFactor. Default: 25. */
  readonly divFactor?: number;
  /** And ends at that divided by finalDivFactor. Default: 1e4. */
  readonly finalDivFactor?: number;
  /** Go down to the start first, then to the end. Default: false. */
  readonly threePhase?: boolean;
}

const positive = (name: string) =>
  integer(1, (value) => `Expected positive integer ${name}, but got ${String(value)}.`);

const spec: SchedulerSpec<OneCycleLROptions> = {
  name: 'OneCycleLR',
  arguments: {
    maxLr: required(perGroup(real({ min: 0 }))),
    totalSteps: omissible(positive('total_steps')),
    epochs: omissible(positive('epochs')),
    stepsPerEpoch: omissible(positive('steps_per_epoch')),
    pctStart: optional(real({ min: 0, max: 1 }, 'Expected float between 0 and 1 pct_start.'), 0.3),
    annealStrategy: optional(
      oneOf(
        ['cos', 'linear'],
        (value) => `anneal_strategy must be one of 'cos' or 'linear', instead got ${value}.`,
      ),
      'cos',
    ),
    cycleMomentum: optional(flag, true),
    baseMomentum: optional(perGroup(real({ min: 0 })), 0.85),
    maxMomentum: optional(perGroup(real({ min: 0 })), 0.95),
    divFactor: optional(real({ above: 0 }), 25),
    finalDivFactor: optional(real({ above: 0 }), 1e4),
    threePhase: optional(flag, false),
  },
  setsInitialLr: true,
  together({ totalSteps, epochs, stepsPerEpoch }) {
    if (totalSteps || (epochs && stepsPerEpoch)) return;
    throw new GradstepError(
      'ERR_INVALID_OPTION',
      'You must define either total_steps OR (epochs AND steps_per_epoch). Expected totalSteps, ' +
        `or epochs and stepsPerEpoch, of OneCycleLR but received epochs ${epochs} and ` +
        `stepsPerEpoch ${stepsPerEpoch}`,
    );
  },
};

/**
 * As `torch.optim.lr_scheduler.OneCycleLR`; call `step()` after every batch, at most `totalSteps`
 * times. The base lr of a group is maxLr / divFactor. Smith and Topin, "Super-convergence" (2018),
 * https://arxiv.org/abs/1708.07120.
 *
 * @throws {GradstepError} As `LRScheduler`; `ERR_SCHEDULE_END` from a step past the end.
 */
export class OneCycleLR extends LRScheduler<OneCycleLROptions> {
  constructor(optimizer: SchedulableOptimizer, options: OneCycleLROptions & LRSchedulerOptions) {
    super(spec, optimizer, options);
  }

  protected override check(): void {
    if (this.options.cycleMomentum) checkMomentum(this.optimizer);
    this.spread('maxLr', 'max_lr');
    this.spread('baseMomentum', 'base_momentum');
    this.spread('maxMomentum', 'max_momentum');
  }

  private spread(name: 'maxLr' | 'baseMomentum' | 'maxMomentum', torch: string): number[] {
    return spread(this.options[name], this.groups().length, name, torch);
  }

  protected override firstLr(_group: SchedulableGroup, index: number, count: number): number {
    return spread(this.options.maxLr, count, 'maxLr', 'max_lr')[index]! / this.options.divFactor;
  }

  /** Steps of the whole cycle. */
  get totalSteps(): number {
    const { totalSteps, epochs, stepsPerEpoch } = this.options;
    return totalSteps ?? epochs! * stepsPerEpoch!;
  }

  private phase(): PhasePoint {
    const { totalSteps, lastEpoch } = this;
    if (lastEpoch > totalSteps) {
      throw new GradstepError(
        'ERR_SCHEDULE_END',
        `Tried to step ${lastEpoch} times. The specified number of total steps is ${totalSteps}`,
      );
    }
    const { pctStart, threePhase, annealStrategy } = this.options;
    // The step after the last batch is one too many for the formula; torch follows the wave a
    // little way up, as we do, but the line below zero, where no lr can be.
    const step = annealStrategy === 'linear' ? Math.min(lastEpoch, totalSteps - 1) : lastEpoch;
    return phaseAt(step, { totalSteps, pctStart, threePhase });
  }

  protected override getLr(): number[] {
    const { divFactor, finalDivFactor, annealStrategy } = this.options;
    const { from, to, progress } = this.phase();
    return this.spread('maxLr', 'max_lr').map((peak) => {
      const start = peak / divFactor;
      const corners: Record<Corner, number> = { start, peak, end: start / finalDivFactor };
      return anneal(annealStrategy, corners[from], corners[to], progress);
    });
  }

  protected override getMomentum(): number[] | undefined {
    if (!this.options.cycleMomentum) return undefined;
    const { from, to, progress } = this.phase();
    const bases = this.spread('baseMomentum', 'base_momentum');
    return this.spread('maxMomentum', 'max_momentum').map((max, i) => {
      const corners: Record<Corner, number> = { start: max, peak: bases[i]!, end: max };
      const { annealStrategy } = this.options;
      const momentum = anneal(annealStrategy, corners[from], corners[to], progress);
      return notAboveEnds(momentum, bases[i]!, max);
    });
  }
}
