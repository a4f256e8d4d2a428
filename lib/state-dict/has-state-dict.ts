/** `stateDict` and `loadStateDict` with the hooks of users around them, as optimizers have them. */

import { isObject } from '../parameters/list-params.ts';
import { type HookHandle, HookList } from '../stepping/hooks.ts';
import {
  type LoadReport,
  type LoadStateDictOptions,
  loadAll,
  type PendingLoad,
  readDictOptions,
  readLoadOptions,
  readStateDictOptions,
  type StateDictOptions,
  type Stateful,
} from './stateful.ts';

/** Options of registering a hook. */
export interface StateDictHookOptions {
  /** Whether it comes before those that are there. Default: false. */
  readonly prepend?: boolean;
}

/** Is given a state dict; what it returns, if anything, takes its place. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook without a return statement gives void
export type StateDictHook<T, D> = (optimizer: T, dict: D) => D | undefined | void;

/** A load as a subclass prepares it. */
export type OwnLoad = Omit<PendingLoad, 'finish'> & Partial<PendingLoad>;

/** An optimizer, or several combined, as something that is saved and loaded. */
export abstract class HasStateDict<D extends object> implements Stateful {
  readonly #pre = new HookList<(optimizer: never) => unknown>();
  readonly #post = new HookList<(optimizer: never, dict: D) => unknown>();
  readonly #loadPre = new HookList<(optimizer: never, dict: D) => unknown>();
  readonly #loadPost = new HookList<(optimizer: never) => unknown>();

  /** @internal */
  protected abstract writeDict(copy: boolean): D;

  /** @internal */
  protected abstract prepareDict(dict: unknown, options: Required<LoadStateDictOptions>): OwnLoad;

  /**
   * Everything that a resumed run needs: state, step counts, hyperparameters, names and shapes, as
   * JSON values and Float32Arrays, structured as torch's; see docs/state-dicts.md.
   *
   * @throws {GradstepError} `ERR_BUSY` inside a step or while an asynchronous one is under way,
   * `ERR_DISPOSED`, `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_MEMORY`.
   */
  stateDict(options: StateDictOptions = {}): D {
    const { copy } = readStateDictOptions(options);
    this.#pre.forEach((hook) => void hook(this as never));
    let dict = this.writeDict(copy);
    this.#post.forEach((hook) => {
      dict = replaced(hook(this as never, dict), dict);
    });
    return dict;
  }

  /**
   * Takes over a state dict: copies it into the state that is here. Parameters are matched by name
   * when all on both sides have different ones, else by their order; sizes and shapes must be the
   * same. Everything is checked before anything changes.
   *
   * @returns With `strict: false`, what it has left alone.
   * @throws {GradstepError} `ERR_STATE_DICT`, `ERR_DETACHED`, `ERR_INVALID_OPTION`,
   * `ERR_UNKNOWN_OPTION`, `ERR_INVALID_GROUP`, `ERR_BUSY`, `ERR_DISPOSED`, `ERR_INVALID_ARGUMENT`,
   * `ERR_OUT_OF_MEMORY`; nothing has changed then.
   */
  loadStateDict(dict: D, options: LoadStateDictOptions = {}): LoadReport {
    return loadAll([this.prepareLoad(dict, options)])[0]!;
  }

  /** Whether no class or hook of a user has a hand in what `stateDict` gives. @internal */
  givesCopies(): boolean {
    return this.stateDict === HasStateDict.prototype.stateDict && this.#post.isEmpty;
  }

  /** @internal */
  prepareLoad(given: unknown, options: LoadStateDictOptions = {}): PendingLoad {
    const checked = readLoadOptions(options);
    let dict = given;
    this.#loadPre.forEach((hook) => {
      const shallow = isObject(dict) ? { ...dict } : dict;
      dict = replaced(hook(this as never, shallow as D), shallow);
    });
    const load = this.prepareDict(dict, checked);
    return {
      reserve: () => load.reserve(),
      commit: () => load.commit(),
      finish: () => {
        load.finish?.();
        this.#loadPost.forEach((hook) => void hook(this as never));
      },
    };
  }

  /**
   * Registers a function that runs before every `stateDict()`, as torch's
   * `register_state_dict_pre_hook`.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no function.
   */
  registerStateDictPreHook(
    hook: (optimizer: this) => unknown,
    options: StateDictHookOptions = {},
  ): HookHandle {
    return this.#pre.add(hook, isFirst(options));
  }

  /**
   * Registers a function that is given every state dict and may return another, as torch's
   * `register_state_dict_post_hook`.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no function.
   */
  registerStateDictPostHook(
    hook: StateDictHook<this, D>,
    options: StateDictHookOptions = {},
  ): HookHandle {
    return this.#post.add(hook, isFirst(options));
  }

  /**
   * Registers a function that is given, before it is loaded, a shallow copy of every state dict,
   * and may return another, as torch's `register_load_state_dict_pre_hook`. What it throws ends the
   * load before anything has changed.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no function.
   */
  registerLoadStateDictPreHook(
    hook: StateDictHook<this, D>,
    options: StateDictHookOptions = {},
  ): HookHandle {
    return this.#loadPre.add(hook, isFirst(options));
  }

  /**
   * Registers a function that runs after every load, as torch's
   * `register_load_state_dict_post_hook`. What it throws leaves the state loaded.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no function.
   */
  registerLoadStateDictPostHook(
    hook: (optimizer: this) => unknown,
    options: StateDictHookOptions = {},
  ): HookHandle {
    return this.#loadPost.add(hook, isFirst(options));
  }
}

function isFirst(options: StateDictHookOptions): boolean {
  return readDictOptions(options, { prepend: false }).prepend;
}

function replaced<T>(result: unknown, dict: T): T {
  return result === undefined || result === null ? dict : (result as T);
}
