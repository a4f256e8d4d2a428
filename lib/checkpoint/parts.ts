/** What a checkpoint is made of: anything with a state dict, or several by name, and a model. */

import { HasStateDict } from '../state-dict/has-state-dict.ts';
import { type Model, modelStateDict, prepareModelLoad } from '../state-dict/model.ts';
import { checkedLoad, loadAll, type PendingLoad } from '../state-dict/stateful.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { withCopies } from './tree.ts';

/** Anything that is saved and loaded by a state dict: ours, or of your own. */
export interface Saveable {
  stateDict(): object;
  loadStateDict(dict: never): unknown;
}

/** One, or several by name. */
export type Saveables = Saveable | Readonly<Record<string, Saveable>>;

/** What `save` takes and `restore` gives back to. */
export interface CheckpointParts {
  /** An arena, a Map, `[name, parameter]` pairs, or parameters with names. */
  readonly model?: Model;
  readonly optimizer?: Saveables;
  readonly scheduler?: Saveables;
  readonly scaler?: Saveables;
  readonly average?: Saveables;
}

/** In the order in which they are loaded: see `loadAll`. */
export const PART_NAMES = ['model', 'scheduler', 'optimizer', 'scaler', 'average'] as const;

export type PartName = (typeof PART_NAMES)[number];

function refuse(sentence: string): never {
  throw new GradstepError('ERR_INVALID_ARGUMENT', sentence);
}

function isSaveable(value: unknown): value is Saveable {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'stateDict') === 'function' &&
    typeof Reflect.get(value, 'loadStateDict') === 'function'
  );
}

/** Each of a part by name; one alone has none. */
function listOf(part: PartName, value: unknown): (readonly [string | undefined, Saveable])[] {
  if (isSaveable(value)) return [[undefined, value]];
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (entries.length > 0 && entries.every(([, one]) => isSaveable(one))) return entries;
  return refuse(
    `Expected ${part} to have stateDict() and loadStateDict(), or to be an object of such, ` +
      `but received ${describe(value)}`,
  );
}

/**
 * Of an optimizer of ours, a state dict is a copy already; where users have a hand in it, it may
 * have views of what goes on changing.
 */
function snapshotOf(one: Saveable, name: string): unknown {
  const isCopy = one instanceof HasStateDict && one.givesCopies();
  const dict = one.stateDict();
  return isCopy ? dict : withCopies(dict, `the state dict of ${name}`);
}

/** The state dicts of parts, as a checkpoint holds them. */
export type SavedParts = { readonly [part in PartName]?: unknown } & {
  /** The parts that are several by name; the others are one each. */
  readonly several: readonly PartName[];
};

/** The state dicts of all parts; arrays in them are copies. */
export function readParts(parts: CheckpointParts): SavedParts {
  const saved: Partial<Record<PartName, unknown>> = {};
  const several: PartName[] = [];
  for (const name of PART_NAMES) {
    const part = parts[name];
    if (part === undefined) continue;
    if (name === 'model') {
      saved.model = modelStateDict(part as Model);
      continue;
    }
    const dicts = listOf(name, part).map(([key, one]) => [key, snapshotOf(one, name)] as const);
    const isOne = dicts[0]![0] === undefined;
    if (!isOne) several.push(name);
    saved[name] = isOne ? dicts[0]![1] : Object.fromEntries(dicts);
  }
  return { ...saved, several };
}

/** One of gradstep's: it can be checked before anything changes. */
interface Preparing {
  prepareLoad(dict: unknown): PendingLoad;
}

/** Not so one with a `loadStateDict` of a user's in the place of ours, which has to be called. */
function isPreparing(one: Saveable): one is Saveable & Preparing {
  let holder: object = one; // of the `loadStateDict` that would be called
  while (!Object.hasOwn(holder, 'loadStateDict')) {
    const above: object | null = Object.getPrototypeOf(holder);
    if (above === null) return false;
    holder = above;
  }
  return typeof Object.getOwnPropertyDescriptor(holder, 'prepareLoad')?.value === 'function';
}

/**
 * Loads all parts, or none: those of gradstep are checked first; then the others are loaded, which
 * are given their own state back if one of them throws; then ours, which cannot fail any more.
 */
export function restoreParts(
  parts: CheckpointParts,
  dictOf: (part: PartName, key: string | undefined) => unknown,
): void {
  const ours: PendingLoad[] = [];
  const foreign: { readonly one: Saveable; readonly name: string; readonly dict: unknown }[] = [];
  for (const name of PART_NAMES) {
    const part = parts[name];
    if (part === undefined) continue;
    if (name === 'model') {
      ours.push(prepareModelLoad(part as Model, dictOf(name, undefined)));
      continue;
    }
    for (const [key, one] of listOf(name, part)) {
      const dict = dictOf(name, key);
      if (isPreparing(one)) ours.push(one.prepareLoad(dict));
      else foreign.push({ one, name, dict });
    }
  }
  const undo: (() => void)[] = [];
  let isDone = false; // what hooks of users throw after that undoes nothing
  const done = checkedLoad(() => {
    isDone = true;
  });
  try {
    for (const { one, name, dict } of foreign) {
      const before = snapshotOf(one, name);
      undo.push(() => void one.loadStateDict(before as never));
      const copy = withCopies(dict, `the saved ${name}`); // it may keep the arrays
      one.loadStateDict(copy as never);
    }
    loadAll([...ours, done]);
  } catch (error) {
    if (!isDone) for (const back of undo.reverse()) attempt(back);
    throw error;
  }
}

/** What a user's object throws while it is given its own state back is no news. */
function attempt(back: () => void): void {
  try {
    back();
  } catch {}
}
