/** What everything with a state dict has in common, and how several are loaded as one. */

import { isIterable, isObject } from '../parameters/list-params.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

/** Options of `stateDict`. */
export interface StateDictOptions {
  /** False gives views of the live arrays, which the next step writes. Default: true, copies. */
  readonly copy?: boolean;
}

/** Options of `loadStateDict`. */
export interface LoadStateDictOptions {
  /** False loads what fits, and tells what does not. Default: true, all or nothing. */
  readonly strict?: boolean;
  /** Whether saved hyperparameters replace the live ones. Default: 'load', as torch. */
  readonly options?: 'load' | 'keep';
}

/** What a load has left alone; all empty after a strict one. */
export interface LoadReport {
  /** What is here and not in the dict. */
  readonly missing: readonly string[];
  /** What is in the dict and not here. */
  readonly unexpected: readonly string[];
  /** What is in both and does not fit: a sentence for each. */
  readonly mismatched: readonly string[];
}

/**
 * A load whose dict has been read and checked, with nothing changed yet. What comes between
 * `prepareLoad` and `reserve` may be code of users; between `reserve` and `commit` there is none.
 */
export interface PendingLoad {
  /**
   * All that can still fail: looks once more whether arrays and parameters are still there, and
   * takes the memory that is needed. Runs no code of a user.
   */
  reserve(): void;
  /** Changes everything; cannot fail, and runs no code of a user. */
  commit(): LoadReport;
  /** Runs the hooks of users that come after a load. */
  finish(): void;
}

/** What has a state dict and can be loaded together with others. */
export interface Stateful {
  stateDict(options?: StateDictOptions): object;
  loadStateDict(dict: never, options?: LoadStateDictOptions): unknown;
  /** The first half of `loadStateDict`. @internal */
  prepareLoad(dict: unknown, options?: LoadStateDictOptions): PendingLoad;
}

/**
 * Loads all or, when one of them throws, none. Where a scheduler and its optimizer are among them,
 * the scheduler comes first: its lr then meets the options that it was checked against.
 */
export function loadAll(loads: readonly PendingLoad[]): LoadReport[] {
  for (let i = 0; i < loads.length; i++) loads[i]!.reserve();
  const reports: LoadReport[] = [];
  for (let i = 0; i < loads.length; i++) reports[i] = loads[i]!.commit();
  for (const load of loads) load.finish();
  return reports;
}

/** What a load leaves alone that leaves nothing alone. */
const NOTHING: LoadReport = Object.freeze({
  missing: Object.freeze([]),
  unexpected: Object.freeze([]),
  mismatched: Object.freeze([]),
});

/** A load that needs no memory and cannot fail any more. */
export function checkedLoad(commit: () => void): PendingLoad {
  return {
    reserve() {},
    commit() {
      commit();
      return NOTHING;
    },
    finish() {},
  };
}

/**
 * A load that is tried first, where checking is doing: it is done, taken back, and done again.
 * @param snapshot Remembers everything that `change` changes; calling the result puts it back.
 */
export function triedLoad(change: () => void, snapshot: () => () => void): PendingLoad {
  const undo = snapshot();
  try {
    change();
  } finally {
    undo();
  }
  return checkedLoad(change);
}

/** One report of several. */
export function joinReports(reports: readonly LoadReport[]): LoadReport {
  return {
    missing: reports.flatMap(({ missing }) => missing),
    unexpected: reports.flatMap(({ unexpected }) => unexpected),
    mismatched: reports.flatMap(({ mismatched }) => mismatched),
  };
}

/** The options of a call that reads or loads a state dict, each read once. */
export function readDictOptions<T extends object>(options: T, initial: Required<T>): Required<T> {
  const known = Object.keys(initial) as (keyof T & string)[];
  if (!isObject(options) || isIterable(options)) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected options as an object { ${known.join(', ')} } but received ${describe(options)}`,
    );
  }
  const given = { ...options } as Record<string, unknown>;
  const result: Record<string, unknown> = { ...initial };
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const [first, other] = allowed(initial[key as keyof T]);
    if (!Object.hasOwn(initial, key) || (value !== first && value !== other)) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        Object.hasOwn(initial, key)
          ? `Expected ${key} to be ${describe(first)} or ${describe(other)} ` +
              `but received ${describe(value)}`
          : `Expected options { ${known.join(', ')} } but received an option '${key}'`,
      );
    }
    result[key] = value;
  }
  return result as Required<T>;
}

function allowed(initial: unknown): readonly [unknown, unknown] {
  return typeof initial === 'boolean' ? [true, false] : ['load', 'keep'];
}

/** What `stateDict` is asked for. */
export function readStateDictOptions(options: StateDictOptions): Required<StateDictOptions> {
  return readDictOptions(options, { copy: true });
}

/** What `loadStateDict` is asked for. */
export function readLoadOptions(options: LoadStateDictOptions): Required<LoadStateDictOptions> {
  return readDictOptions(options, { strict: true, options: 'load' });
}
