/** The state dict of a scheduler: plain JSON, written whole and checked whole before it is used. */

import type { Json } from '../groups/group-input.ts';
import { isObject } from '../parameters/list-params.ts';
import { type Argument, parseArguments } from '../schedules/arguments.ts';
import { readPlain } from '../state-dict/plain.ts';
import { type PendingLoad, triedLoad } from '../state-dict/stateful.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ownProperties } from '../support/own-properties.ts';
import type { SchedulerSpec } from './scheduler-options.ts';

/** What `stateDict()` gives: JSON. */
export interface SchedulerState {
  /** The class, such as 'StepLR'. */
  readonly type: string;
  readonly lastEpoch: number;
  readonly stepCount: number;
  /** Hyperparameters; null where there was a function or nothing. */
  readonly options: { readonly [name: string]: Json };
  readonly baseLrs: readonly number[];
  /** The lr in force, which may have been edited since the last step. */
  readonly lr: readonly number[];
  /** The lr as the last step left it; of the groups that it knew. */
  readonly lastLr: readonly number[];
  /** Momentum or beta1 in force, where the scheduler moves it. */
  readonly momentum?: readonly number[];
  /** Hyperparameters that are functions: give them again when the scheduler is made. */
  readonly notSaved?: readonly string[];
  /** The states of schedulers inside this one. */
  readonly schedulers?: readonly SchedulerState[];
  /** What else a class counts. */
  readonly [name: string]: Json | undefined | readonly SchedulerState[];
}

/** The part of a state that belongs to groups. */
export type GroupState = Pick<SchedulerState, 'baseLrs' | 'lr' | 'lastLr' | 'momentum'>;

/** A state that has been checked. */
export interface CheckedState<O, P> extends Omit<GroupState, 'momentum'> {
  readonly momentum: readonly number[] | undefined;
  readonly options: Required<O>;
  readonly progress: P;
}

export function writeState<O extends object, P extends object>(
  spec: SchedulerSpec<O, P>,
  options: object,
  progress: object,
  groups: GroupState,
): SchedulerState {
  const entries = Object.entries(options).filter(([key]) => !spec.arguments[key as keyof O].fixed);
  const notSaved = entries.filter(([, value]) => hasFunction(value)).map(([key]) => key);
  const saved = entries.map(([key, value]) => [key, toJson(value)]);
  const counts = Object.entries(progress).map(([key, value]) => [key, toJson(value)]);
  const state = {
    type: spec.name,
    ...Object.fromEntries(counts),
    options: Object.fromEntries(saved),
    ...groups,
    ...(notSaved.length > 0 && { notSaved }),
  };
  return structuredClone(state) as unknown as SchedulerState; // shares nothing with the scheduler
}

/**
 * @param count How many groups the scheduler has now.
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT`, `ERR_INVALID_OPTION`.
 */
export function readState<O extends object, P extends object>(
  spec: SchedulerSpec<O, P>,
  options: object,
  progress: P,
  state: unknown,
  count: number,
): CheckedState<O, P> {
  if (!isObject(state) || Reflect.get(state, 'type') !== spec.name) {
    const type = isObject(state) ? Reflect.get(state, 'type') : undefined;
    return fail(`the state of a ${spec.name}`, type === undefined ? state : type);
  }
  const given = ownProperties(state as SchedulerState);
  return {
    options: readOptions(spec, options, given),
    progress: readProgress(progress, given),
    baseLrs: readNumbers(given, 'baseLrs', count),
    lr: readNumbers(given, 'lr', count),
    lastLr: readNumbers(given, 'lastLr', count, 0), // groups that are new have none yet
    momentum: given.momentum && readNumbers(given, 'momentum', count),
  };
}

/** The first half of a load: the state is taken over once, and taken back. */
export function prepareState(
  scheduler: { take(state: unknown): void; snapshot(): () => void },
  given: unknown,
): PendingLoad {
  const state = isObject(given) ? readPlain(given, 'the state of a scheduler') : given;
  return triedLoad(
    () => scheduler.take(state),
    () => scheduler.snapshot(),
  );
}

function readOptions<O extends object, P extends object>(
  spec: SchedulerSpec<O, P>,
  options: object,
  { options: saved, notSaved = [] }: SchedulerState,
): Required<O> {
  if (!isObject(saved) || !Array.isArray(notSaved)) return fail('options in the state', saved);
  const own = ownProperties(saved);
  const table = Object.entries<Argument<unknown>>(spec.arguments);
  const entries = table.map(([key, { fixed }]) => {
    const now: unknown = Reflect.get(options, key);
    if (fixed) return [key, now];
    if (!notSaved.includes(key)) return [key, own[key] ?? undefined];
    if (hasFunction(now)) return [key, now];
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected ${key} to be given when this ${spec.name} is made: it was a function, and ` +
        `functions are not saved, but received ${describe(now)}`,
    );
  });
  const values = parseArguments<O>(spec.arguments, Object.fromEntries(entries), spec.name);
  spec.together?.(values);
  return values;
}

/** Each count has to be of the kind that it is now: a number, a list of numbers, or not yet. */
function readProgress<P extends object>(progress: P, state: SchedulerState): P {
  const entries = Object.entries(progress).map(([key, now]: [string, unknown]) => {
    const value = fromJson(state[key]);
    const good = Array.isArray(now)
      ? Array.isArray(value) && value.every(Number.isFinite)
      : COUNTS.includes(key)
        ? Number.isFinite(value)
        : value === null || (typeof value === 'number' && !Number.isNaN(value));
    return good ? [key, structuredClone(value)] : fail(`${key} in the state as a number`, value);
  });
  return Object.fromEntries(entries) as P;
}

/** Counts that always have a finite value. */
const COUNTS: readonly string[] = ['lastEpoch', 'stepCount'];

function readNumbers(
  state: SchedulerState,
  key: keyof GroupState,
  count: number,
  least = count,
): number[] {
  const values: unknown = state[key];
  if (!Array.isArray(values) || !values.every(Number.isFinite)) {
    return fail(`${key} in the state as a list of numbers`, values);
  }
  if (values.length >= least && values.length <= count) return [...values];
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    'loaded state dict has a different number of parameter groups. ' +
      `Expected ${count} ${key} but received ${values.length}`,
  );
}

function fail(expected: string, value: unknown): never {
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected ${expected} but received ${describe(value)}`,
  );
}

/** What JSON has no word for: null stands for functions, strings for infinities. */
function toJson(value: unknown): unknown {
  if (typeof value === 'function' || value === undefined) return null;
  if (value === Infinity || value === -Infinity) return String(value);
  return Array.isArray(value) ? value.map(toJson) : value;
}

function fromJson(value: unknown): unknown {
  return value === 'Infinity' || value === '-Infinity' ? Number(value) : value;
}

/** Whether saving this value loses a function. */
function hasFunction(value: unknown): boolean {
  return typeof value === 'function' || (Array.isArray(value) && value.some(hasFunction));
}
