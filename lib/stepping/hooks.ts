/** Functions that a user lets run before and after every step, of one optimizer or of all. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ignoreRejection, isThenable } from './closure.ts';

/** The arguments of `step`: a closure, or none. */
export type StepArguments = readonly [closure?: () => unknown];

/**
 * Runs before a step. It may return other arguments for the step: `[closure]`, or `[]` for none.
 * An error that it throws ends the step before anything has changed.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook without a return statement gives void
export type StepPreHook<T = unknown> = (optimizer: T, args: StepArguments) => StepArguments | void;

/** Runs after a step. What it returns is ignored; an error that it throws undoes nothing. */
export type StepPostHook<T = unknown> = (optimizer: T, args: StepArguments) => unknown;

/** What registering a hook gives. */
export interface HookHandle {
  /** The hook does not run any more. Safe to call twice, and in the hook itself. */
  remove(): void;
}

/** What all lists without hooks have in common; nothing is ever put into it. */
const NONE: Set<never> = new Set();

/** Hooks in the order in which they were registered; one function may stand there twice. */
export class HookList<H extends (...args: never[]) => unknown> {
  #hooks: Set<{ readonly hook: H }> = NONE;

  /** @param first Whether it comes before those that are there. */
  add(hook: H, first = false): HookHandle {
    if (typeof hook !== 'function') {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected hook to be a function but received ${describe(hook)}`,
      );
    }
    const entry = { hook };
    if (first || this.#hooks === NONE) this.#hooks = new Set([entry, ...this.#hooks]);
    else this.#hooks.add(entry);
    return Object.freeze({ remove: () => void this.#hooks.delete(entry) });
  }

  get isEmpty(): boolean {
    return this.#hooks.size === 0;
  }

  /** Calls `run` with those that are there now, and are still there when their turn comes. */
  forEach(run: (hook: H) => void): void {
    if (this.#hooks.size === 0) return;
    for (const entry of [...this.#hooks]) if (this.#hooks.has(entry)) run(entry.hook);
  }
}

/** The hooks of one optimizer, or of all. */
export class StepHooks<T> {
  readonly pre: HookList<StepPreHook<T>> = new HookList();
  readonly post: HookList<StepPostHook<T>> = new HookList();

  get any(): boolean {
    return !this.pre.isEmpty || !this.post.isEmpty;
  }

  /** Runs the pre hooks; gives the arguments as they leave them. */
  before(optimizer: T, args: StepArguments): StepArguments {
    let current = args;
    this.pre.forEach((hook) => {
      current = replaced(hook(optimizer, current), current);
    });
    return current;
  }

  after(optimizer: T, args: StepArguments): void {
    this.post.forEach((hook) => void hook(optimizer, args));
  }
}

function replaced(result: unknown, args: StepArguments): StepArguments {
  if (result === undefined || result === null) return args;
  if (Array.isArray(result) && result.length <= 1)
    return Object.freeze([...result]) as unknown as StepArguments;
  const isPromise = isThenable(result);
  if (isPromise) ignoreRejection(result);
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    'A step pre hook must return None or a tuple of (new_args, new_kwargs), that is nothing, ' +
      `[closure] or [], but got ${isPromise ? 'a promise' : describe(result)}`,
  );
}

/** The hooks of every optimizer. */
export const globalHooks: StepHooks<unknown> = new StepHooks();

/**
 * Registers a function that runs before every step of every optimizer, before the optimizer's own
 * pre hooks; as torch's `register_optimizer_step_pre_hook`.
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no function.
 */
export function registerOptimizerStepPreHook(hook: StepPreHook): HookHandle {
  return globalHooks.pre.add(hook);
}

/**
 * Registers a function that runs after every step of every optimizer, after the optimizer's own
 * post hooks; as torch's `register_optimizer_step_post_hook`.
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no function.
 */
export function registerOptimizerStepPostHook(hook: StepPostHook): HookHandle {
  return globalHooks.post.add(hook);
}
