/** A step that leaves the event loop free: on another thread, over shared memory. */

import { isObject } from '../parameters/list-params.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { nextTurn } from '../support/next-turn.ts';
import { ownProperties } from '../support/own-properties.ts';
import type { StepArguments } from './hooks.ts';
import { warnOfNoGradient } from './no-gradient.ts';
import type { Stepper } from './stepping.ts';

/** Options of `stepAsync`. */
export interface StepAsyncOptions {
  /** Ends the step if it is aborted before a thread has begun it; afterwards it has no effect. */
  readonly signal?: AbortSignal;
}

/**
 * One step of one optimizer: hooks and closure here, the update elsewhere. The event loop has had a
 * turn before it is over, also when it was refused: somebody may try again and again.
 *
 * @returns What the closure returned or resolved to.
 */
export async function stepAsync(
  stepper: Stepper,
  given: StepArguments,
  options: StepAsyncOptions,
): Promise<unknown> {
  try {
    return await stepNow(stepper, given, options);
  } catch (error) {
    await nextTurn();
    throw error;
  }
}

async function stepNow(
  stepper: Stepper,
  given: StepArguments,
  options: StepAsyncOptions,
): Promise<unknown> {
  const signal = readSignal(options);
  const { status } = stepper;
  status.require('stepAsync', 'idle');
  throwIfAborted(signal);
  status.enter('caller');
  try {
    const args = stepper.before(given);
    const [closure] = args;
    const loss = closure === undefined ? undefined : await callClosure(closure);
    status.require('stepAsync', 'caller'); // the optimizer was not disposed meanwhile
    throwIfAborted(signal);
    if (!(await update(stepper, signal))) throwIfAborted(signal);
    status.enter('caller');
    if (stepper.count() === 0) warnOfNoGradient([stepper]);
    stepper.after(args);
    return loss;
  } finally {
    status.enter('idle');
  }
}

/** False if it was cancelled before it began. */
async function update(stepper: Stepper, signal: AbortSignal | undefined): Promise<boolean> {
  const { plan, status } = stepper;
  const cancel = () => plan.cancelBackground();
  plan.guard();
  status.enter('step');
  plan.enter('background');
  try {
    plan.refresh();
    status.enter('async');
    if (signal) Reflect.apply(addEventListener, signal, ['abort', cancel, { once: true }]);
    return await plan.runInBackground();
  } finally {
    plan.leave();
    if (signal) forget(signal, cancel);
  }
}

/** Takes the listener back; a signal that cannot do that is no failure of the step. */
function forget(signal: AbortSignal, listener: () => void): void {
  try {
    Reflect.apply(removeEventListener, signal, ['abort', listener]);
  } catch {
    // A proxy around one, whose traps throw.
  }
}

function callClosure(closure: () => unknown): unknown {
  if (typeof closure === 'function') return closure();
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected closure to be a function but received ${describe(closure)}`,
  );
}

function readSignal(options: StepAsyncOptions): AbortSignal | undefined {
  const { signal, ...others } = ownProperties(options);
  const unknown = isObject(options) ? Object.keys(others)[0] : describe(options);
  if (unknown === undefined && (signal === undefined || isSignal(signal))) {
    return signal;
  }
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected { signal: an AbortSignal } but received ${unknown ?? describe(signal)}`,
  );
}

const { addEventListener, removeEventListener } = EventTarget.prototype;

/** What the signal is, whatever somebody has made of its methods. */
function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal) Reflect.apply(AbortSignal.prototype.throwIfAborted, signal, []);
}

const aborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')!.get!;

/** Whether it is a signal inside too: an object that only inherits from one cannot be asked. */
function isSignal(value: unknown): value is AbortSignal {
  try {
    return typeof Reflect.apply(aborted, value, []) === 'boolean';
  } catch {
    return false;
  }
}
