/**
 * Memory that steps are working on, process-wide: one register, which the native backend keeps
 * (`native/core/busy_memory.h`) and everybody asks, also those that work in JavaScript. Where there
 * is no native backend, no step is ever on another thread, and nothing is busy.
 */

import { GradstepError } from '../support/errors.ts';
import type { Floats } from '../support/typed-arrays.ts';

/** What a register does; the first `written` of the arrays are written, the others only read. */
export interface BusyMemory {
  /** Whether a step may be in the background, or begin there while one on this thread runs. */
  isWatched(): boolean;
  /** The place of the first array that an asynchronous step is working on; -1: none. */
  findBusy(arrays: readonly Floats[], written: number): number;
  /** The same, and takes all of them if there is none: gives what `releaseBusy` gives back. */
  takeBusy(arrays: readonly Floats[], written: number): object | number;
  releaseBusy(hold: object): void;
}

let register: BusyMemory | undefined;

/** The register that is asked from now on. */
export function useRegister(busy: BusyMemory): void {
  register = busy;
}

/** The place of the first array that an asynchronous step is working on; -1: none. */
export function findBusy(arrays: readonly Floats[], written: number): number {
  return register === undefined ? -1 : register.findBusy(arrays, written);
}

/** Whether a step has to take its memory, although no code of a user runs in it. */
export function isWatched(): boolean {
  return register?.isWatched() === true;
}

/** Takes them until `releaseBusy`: an object, or the place of the first that is taken; or nothing. */
export function takeBusy(arrays: readonly Floats[], written: number): object | number | undefined {
  return register?.takeBusy(arrays, written);
}

export function releaseBusy(hold: object): void {
  register?.releaseBusy(hold);
}

/** @throws {GradstepError} `ERR_BUSY` if an asynchronous step is working on one of these. */
export function refuseBusyGrads(grads: readonly Floats[], written: number): void {
  if (findBusy(grads, written) < 0) return;
  throw new GradstepError(
    'ERR_BUSY',
    'An asynchronous step is working on these gradients: await it first',
  );
}

/**
 * @param arraysNow Asked only where a step may be in the background.
 * @throws {GradstepError} `ERR_BUSY` if an asynchronous step is working on what is to be written.
 */
export function refuseBusyState(arraysNow: () => readonly (Floats | undefined)[]): void {
  if (!isWatched()) return;
  const arrays = arraysNow().filter((array) => array !== undefined);
  if (findBusy(arrays, arrays.length) < 0) return;
  throw new GradstepError(
    'ERR_BUSY',
    'An asynchronous step of another optimizer is working on this state: await it first',
  );
}
