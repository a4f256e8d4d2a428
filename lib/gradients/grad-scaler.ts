/** Dynamic loss scaling, as `torch.amp.GradScaler` (2.6). */

import { activeBackend } from '../backend/active.ts';
import type { Optimizer } from '../optimizer/optimizer.ts';
import { isObject } from '../parameters/list-params.ts';
import { parseArguments } from '../schedules/arguments.ts';
import { checkedLoad, loadAll, type PendingLoad } from '../state-dict/stateful.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { showFields } from '../support/inspect.ts';
import {
  backoffCheck,
  checkOptimizer,
  type GradScalerOptions,
  type GradScalerState,
  growthCheck,
  intervalCheck,
  misuse,
  optionTable,
  scaleCheck,
  stateTable,
} from './grad-scaler-options.ts';
import { listGrads } from './grads.ts';
import { isScale, overflowsWithout, unscale } from './unscale.ts';

const { fround } = Math;

/** What happened to one optimizer's gradients since the last `update()`. */
interface Progress {
  stage: 'ready' | 'unscaled' | 'stepped';
  /** How many of its gradients' values were infinite or NaN; unknown until they were looked at. */
  nonFinite: number | undefined;
}

/**
 * Scales the loss so that small gradients survive in half precision, takes the scale out of the
 * gradients before the step, and skips steps whose gradients overflowed.
 *
 * ```ts
 * const scaler = new GradScaler();
 * computeGradients(scaler.scale(1)); // backpropagates the scaled loss
 * scaler.step(optimizer);
 * scaler.update();
 * ```
 */
export class GradScaler {
  readonly #enabled: boolean;
  #scale: number;
  #growthFactor: number;
  #backoffFactor: number;
  #growthInterval: number;
  /** How many good steps there were in a row. */
  #growthTracker = 0;
  /** Whether `scale()` has been called: torch has no scale before. */
  #started = false;
  #progress = new Map<Optimizer, Progress>();

  /** @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`. */
  constructor(options: GradScalerOptions = {}) {
    const checked = parseArguments(optionTable, options, 'GradScaler');
    this.#enabled = checked.enabled;
    this.#scale = checked.initScale;
    this.#growthFactor = checked.growthFactor;
    this.#backoffFactor = checked.backoffFactor;
    this.#growthInterval = checked.growthInterval;
    showFields(this, 'GradScaler', () => this.#shown());
  }

  /**
   * A loss, or what backpropagation starts from, times the scale.
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT`.
   */
  scale(loss: number): number {
    if (typeof loss !== 'number') {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected a loss to be a number but received ${describe(loss)}`,
      );
    }
    if (!this.#enabled) return loss;
    if (!this.#started) this.#scale = fround(this.#scale);
    this.#started = true;
    return loss * this.#scale;
  }

  /**
   * Takes the scale out of the optimizer's gradients, in place, to look at them or to clip them
   * before `step()`, which does it otherwise. Memory that gradients share is unscaled once (twice
   * in torch). Gradients that float32 could not hold without the scale stay as they are, and the
   * step will be skipped.
   *
   * @throws {GradstepError} `ERR_GRAD_SCALER` when called twice, after `step()`, or before
   * `scale()`; what `getTotalNorm` throws for bad gradients. Nothing has changed then.
   */
  unscale(optimizer: Optimizer): void {
    if (!this.#enabled) return;
    const grads = this.#gradsOf(optimizer, 'unscale_');
    const progress = this.#progressOf(optimizer);
    if (progress.stage === 'unscaled') {
      throw misuse('unscale_() has already been called on this optimizer since the last update().');
    }
    if (progress.stage === 'stepped') throw misuse('unscale_() is being called after step().');
    const nonFinite = activeBackend().countNonFinite(grads);
    const overflows = nonFinite === 0 && overflowsWithout(this.#scale, grads);
    if (!overflows) unscale(grads, this.#scale);
    progress.nonFinite = overflows ? 1 : nonFinite;
    progress.stage = 'unscaled';
  }

  /**
   * Steps the optimizer with its gradients unscaled, unless one of them is infinite or NaN, or
   * would be: then nothing changes at all. (torch leaves the gradients of a skipped step unscaled.) If the
   * optimizer's own step throws, its gradients stay unscaled, and the call can be made again.
   *
   * @returns What `optimizer.step()` returned; undefined when it was skipped.
   * @throws {GradstepError} `ERR_GRAD_SCALER` when called twice, before `scale()`, with a closure
   * (unless the scaler is disabled), or for an optimizer that has no gradients; what `step()` of
   * the optimizer throws.
   */
  step(optimizer: Optimizer): undefined;
  step<T>(optimizer: Optimizer, closure: () => T): T;
  step<T>(optimizer: Optimizer, closure?: () => T): T | undefined {
    checkOptimizer(optimizer);
    if (!this.#enabled) return closure === undefined ? optimizer.step() : optimizer.step(closure);
    if (closure !== undefined) {
      throw misuse('Closure use is not currently supported if GradScaler is enabled.');
    }
    const read = this.#progress.get(optimizer)?.stage === 'unscaled';
    const grads = read ? [] : this.#gradsOf(optimizer, 'step');
    const progress = this.#progressOf(optimizer);
    if (progress.stage === 'stepped') {
      throw misuse('step() has already been called since the last update().');
    }
    if (progress.stage === 'ready') {
      const nonFinite = activeBackend().countNonFinite(grads);
      const steps = nonFinite === 0 && !overflowsWithout(this.#scale, grads);
      if (steps) unscale(grads, this.#scale);
      progress.nonFinite = steps ? 0 : Math.max(1, nonFinite);
      progress.stage = 'unscaled';
    }
    if (progress.nonFinite === 0) optimizer.step();
    progress.stage = 'stepped';
    return undefined;
  }

  /**
   * Ends an iteration: after a skipped step the scale shrinks, after enough good ones it grows;
   * never to where float32 could not hold it or its inverse. (torch's falls to 0.)
   *
   * @param newScale A scale to go on with instead, > 0.
   * @throws {GradstepError} `ERR_GRAD_SCALER` when no gradients were looked at since the last
   * call; `ERR_INVALID_OPTION`.
   */
  update(newScale?: number): void {
    if (!this.#enabled) return;
    this.#requireScale('update');
    if (newScale === undefined) this.#adapt();
    else this.#scale = fround(scaleCheck(newScale, 'newScale of update()'));
    this.#progress = new Map();
  }

  /** As torch's `_amp_update_scale_`, in float32. */
  #adapt(): void {
    const counts = [...this.#progress.values()].flatMap(({ nonFinite }) => nonFinite ?? []);
    if (counts.length === 0) throw misuse('No inf checks were recorded prior to update.');
    const failed = counts.some((count) => count > 0);
    if (!failed) this.#growthTracker += 1;
    if (failed) this.#changeScale(this.#backoffFactor);
    else if (this.#growthTracker >= this.#growthInterval) this.#changeScale(this.#growthFactor);
  }

  #changeScale(factor: number): void {
    const changed = fround(this.#scale * factor);
    if (isScale(changed)) this.#scale = changed;
    this.#growthTracker = 0;
  }

  /**
   * Whether the optimizer's gradients held an infinity or NaN when they were looked at since the
   * last `update()`, so that its step is or was skipped.
   */
  foundInf(optimizer: Optimizer): boolean {
    return (this.#progress.get(optimizer)?.nonFinite ?? 0) > 0;
  }

  /** The scale in force; 1 when disabled. */
  getScale(): number {
    return this.#enabled ? this.#scale : 1;
  }

  isEnabled(): boolean {
    return this.#enabled;
  }

  getGrowthFactor(): number {
    return this.#growthFactor;
  }

  /** @throws {GradstepError} `ERR_INVALID_OPTION` unless it is > 1. */
  setGrowthFactor(factor: number): void {
    this.#growthFactor = growthCheck(factor, 'the growth factor');
  }

  getBackoffFactor(): number {
    return this.#backoffFactor;
  }

  /** @throws {GradstepError} `ERR_INVALID_OPTION` unless it is between 0 and 1. */
  setBackoffFactor(factor: number): void {
    this.#backoffFactor = backoffCheck(factor, 'the backoff factor');
  }

  getGrowthInterval(): number {
    return this.#growthInterval;
  }

  /** @throws {GradstepError} `ERR_INVALID_OPTION` unless it is a whole number >= 1. */
  setGrowthInterval(interval: number): void {
    this.#growthInterval = intervalCheck(interval, 'the growth interval');
  }

  /** Plain JSON under torch's keys; empty when disabled. Call it after `update()`. */
  stateDict(): GradScalerState | Record<string, never> {
    if (!this.#enabled) return {};
    return {
      scale: this.#scale,
      growth_factor: this.#growthFactor,
      backoff_factor: this.#backoffFactor,
      growth_interval: this.#growthInterval,
      _growth_tracker: this.#growthTracker,
    };
  }

  /**
   * Goes on from a state of gradstep or torch; does nothing when disabled.
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for an empty state, `ERR_INVALID_OPTION`,
   * `ERR_UNKNOWN_OPTION`; nothing has changed then.
   */
  loadStateDict(state: GradScalerState | Record<string, never>): void {
    loadAll([this.prepareLoad(state)]);
  }

  /** The first half of `loadStateDict`. @internal */
  prepareLoad(state: unknown): PendingLoad {
    if (!this.#enabled) return checkedLoad(() => {});
    if (isObject(state) && Object.keys(state).length === 0) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        'The source state dict is empty, possibly because it was saved from a disabled instance ' +
          'of GradScaler.',
      );
    }
    const loaded = parseArguments(stateTable, state, 'the state of a GradScaler');
    return checkedLoad(() => {
      this.#scale = this.#started ? fround(loaded.scale) : loaded.scale;
      this.#growthFactor = loaded.growth_factor;
      this.#backoffFactor = loaded.backoff_factor;
      this.#growthInterval = loaded.growth_interval;
      this.#growthTracker = loaded._growth_tracker;
    });
  }

  /** What `console.log` shows. */
  #shown(): object {
    return {
      enabled: this.#enabled,
      scale: this.getScale(),
      growthFactor: this.#growthFactor,
      backoffFactor: this.#backoffFactor,
      growthInterval: this.#growthInterval,
      growthTracker: this.#growthTracker,
    };
  }

  #requireScale(call: string): void {
    if (this.#started) return;
    throw misuse(
      `Attempted ${call} but _scale is None. This may indicate your script did not use ` +
        'scaler.scale(loss or outputs) earlier in the iteration.',
    );
  }

  /** The optimizer's gradients, proven; getters of users run in here. */
  #gradsOf(optimizer: Optimizer, call: string): readonly Float32Array<ArrayBufferLike>[] {
    checkOptimizer(optimizer);
    this.#requireScale(call);
    const moving = optimizer.paramGroups.filter(({ frozen }) => frozen !== true);
    const params = moving.flatMap((group) => group.params.filter(({ frozen }) => frozen !== true));
    const { grads } = listGrads(params);
    if (grads.length === 0) throw misuse('No inf checks were recorded for this optimizer.');
    return grads;
  }

  #progressOf(optimizer: Optimizer): Progress {
    const progress = this.#progress.get(optimizer) ?? { stage: 'ready', nonFinite: undefined };
    this.#progress.set(optimizer, progress);
    return progress;
  }
}
