/** What an optimizer is doing, and which calls that allows. */

import { GradstepError } from '../support/errors.ts';

/**
 * `caller` is the part of a step in which a closure or a hook runs; in `async` the update runs on
 * another thread. `adding`, `changing`, `zeroing` and `dict` are calls that read users' objects.
 */
export type Phase =
  | 'idle'
  | 'caller'
  | 'step'
  | 'async'
  | 'adding'
  | 'changing'
  | 'zeroing'
  | 'dict'
  | 'disposed';

/** The phase of one optimizer. */
export class Status {
  #phase: Phase = 'idle';

  get disposed(): boolean {
    return this.#phase === 'disposed';
  }

  /** @throws {GradstepError} `ERR_BUSY` or `ERR_DISPOSED` unless the phase is an allowed one. */
  require(call: string, ...allowed: Phase[]): void {
    if (allowed.includes(this.#phase)) return;
    if (this.#phase === 'disposed') {
      throw new GradstepError('ERR_DISPOSED', `This optimizer has been disposed (${call})`);
    }
    const during = {
      adding: 'inside addParamGroup of the same optimizer',
      changing: 'while parameters of the same optimizer are being changed',
      zeroing: 'inside zeroGrad of the same optimizer',
      dict: 'while the state dict of the same optimizer is read or loaded',
      async: 'while an asynchronous step of the same optimizer is under way: await it first',
    };
    const when = during[this.#phase as keyof typeof during];
    throw new GradstepError(
      'ERR_BUSY',
      `${call} was called ${when ?? 'inside a step of the same optimizer'}`,
    );
  }

  /** @throws {GradstepError} `ERR_DISPOSED`. */
  assertLive(): void {
    if (this.disposed) this.require('setting an option', 'idle');
  }

  /** @throws {GradstepError} `ERR_BUSY` while an asynchronous step has the memory. */
  assertNotAsync(call: string): void {
    if (this.#phase === 'async') this.require(call, 'idle');
  }

  /** @throws {GradstepError} `ERR_BUSY` or `ERR_DISPOSED` where there is no state to be read. */
  assertReadable(call: string): void {
    if (this.#phase === 'async' || this.#phase === 'disposed') this.require(call, 'idle');
  }

  /** From idle to a step. @throws {GradstepError} As `require`. */
  enterStep(): void {
    if (this.#phase !== 'idle') this.require('step', 'idle');
    this.#phase = 'step';
  }

  /** Goes over to a phase and gives the one before. A disposed optimizer stays so. */
  enter(phase: Phase): Phase {
    const before = this.#phase;
    if (before !== 'disposed') this.#phase = phase;
    return before;
  }
}
