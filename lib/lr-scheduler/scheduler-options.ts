/** A scheduler's hyperparameters: live, checked, and saved with its state. */

import type { LiveOptions } from '../groups/param-group.ts';
import { type Argument, type ArgumentTable, unknownArgument } from '../schedules/arguments.ts';
import { GradstepError } from '../support/errors.ts';
import { showFields } from '../support/inspect.ts';
import type { GroupFilter } from './scheduled-groups.ts';

/** Options of every scheduler, beside its own. */
export interface LRSchedulerOptions {
  /** Which groups it schedules: names, indices, or a function. Default: all, now and later. */
  readonly groups?: GroupFilter;
  /**
   * The last epoch that is over, when a run is resumed without a state dict: the scheduler then
   * takes its first step from there and from the lr in force, as torch's. Default: -1, a fresh
   * start.
   */
  readonly lastEpoch?: number;
  /**
   * The lr before any schedule, one or one per group, where no scheduler of this process has seen
   * the groups yet: torch's `initial_lr`. Default: the lr of each group.
   */
  readonly initialLr?: number | readonly number[];
}

/** What a scheduler's file says about it. */
export interface SchedulerSpec<O extends object, P extends object = object> {
  /** The class's name, for errors and in its state dict. */
  readonly name: string;
  /** Its hyperparameters. */
  readonly arguments: ArgumentTable<O>;
  /** What it counts beside `lastEpoch`, at its start: numbers, lists of them, or null. */
  readonly progress?: P;
  /** Whether its base lrs replace those of schedulers made before, as OneCycleLR's do. */
  readonly setsInitialLr?: boolean;
  /** Throws when values do not go together. */
  together?(options: Required<O>): void;
}

/** An object whose properties read and write `values`, each write checked. */
export function liveOptions<O extends object>(
  spec: SchedulerSpec<O>,
  values: Required<O>,
): LiveOptions<O> {
  const live = {};
  for (const [key, argument] of Object.entries<Argument<unknown>>(spec.arguments)) {
    const name = key as keyof O;
    Object.defineProperty(live, key, {
      enumerable: true,
      get: () => values[name],
      set(value: unknown) {
        if (argument.fixed) {
          throw new GradstepError('ERR_READ_ONLY', `${key} of ${spec.name} cannot be changed`);
        }
        const skip = value === undefined && !argument.required;
        const checked = skip ? argument.initial : argument.check(value, `${key} of ${spec.name}`);
        spec.together?.({ ...values, [key]: checked });
        values[name] = checked as Required<O>[keyof O];
      },
    });
  }
  showFields(live, '', () => live);
  return new Proxy(live, {
    set(target, key, value) {
      if (Object.hasOwn(target, key)) return Reflect.set(target, key, value);
      throw unknownArgument(String(key), Object.keys(spec.arguments), spec.name);
    },
  }) as LiveOptions<O>;
}

/** A value of each group from what `perGroup` accepted, when there are `count` groups. */
export function spread<T>(
  given: T | readonly T[],
  count: number,
  name: string,
  torch: string,
): T[] {
  if (!Array.isArray(given)) return new Array<T>(count).fill(given as T);
  if (given.length === count) return given as T[];
  throw new GradstepError(
    'ERR_INVALID_OPTION',
    `${torch} must have the same length as optimizer.param_groups. Expected ${name} to have ` +
      `${count} values, one for each group, but received ${given.length}`,
  );
}
