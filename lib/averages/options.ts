/** Options of averages. */

import { number, type Option, refuse } from '../options/option.ts';
import type { OptionTable } from '../options/schema.ts';
import type { ParamsInput } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import {
  fixedMap,
  readOnlyError,
  readOnlyFields,
  refuseWrites,
  watchNewFields,
} from '../support/read-only.ts';
import type { Floats } from '../support/typed-arrays.ts';

/** Options that say which updates count. */
export interface PaceOptions {
  /**
   * Takes only every so many-th update in, beginning with the first; the others pass by. An
   * integer from 1. Default: 1.
   */
  readonly updateEvery?: number;
  /**
   * Begins late: as many updates only copy the parameters, and `nAveraged` stays 0. An integer
   * from 0. Default: 0.
   */
  readonly updateAfterStep?: number;
}

/** What all averages may be given. */
export interface AverageOptions extends PaceOptions {
  /**
   * What goes with the parameters but is not averaged, such as the running statistics of batch
   * normalization: each update that counts copies it, and `swap()` and `restore()` put it in place
   * with the averages. Default: none. (`use_buffers=False` of torch's `AveragedModel`.)
   */
  readonly buffers?: ParamsInput;
}

/** An option that is an integer. */
function integer(initial: number, min: number): Option<number> {
  return {
    ...number(initial, {}),
    check(value, key, where) {
      if (Number.isSafeInteger(value) && (value as number) >= min) return value as number;
      return refuse(`${key} value`, describe(value), `${key} to be an integer >= ${min}`, where);
    },
  };
}

/** As `PaceOptions`; they come last, as in the native rules. */
export const paceOptions: OptionTable<PaceOptions> = {
  updateEvery: integer(1, 1),
  updateAfterStep: integer(0, 0),
};

/** The share of the average that stays at an update, in [0, 1]. */
export function decay(initial: number): Option<number> {
  return {
    ...number(initial, { label: 'decay value' }),
    check(value, _key, where) {
      if (typeof value === 'number' && value >= 0 && value <= 1) return value;
      throw new GradstepError(
        'ERR_INVALID_OPTION',
        `Invalid decay value ${describe(value)} provided. ` +
          `Please provide a value in [0,1] range.${where}`,
      );
    },
  };
}

/** Which arithmetic: `lerp`, or the `other` one. */
export function form<Other extends string>(
  other: Other,
  initial: Other | 'lerp',
): Option<Other | 'lerp'> {
  return {
    initial,
    fields: ['lerp'],
    check(value, key, where) {
      if (value === 'lerp' || value === other) return value as Other | 'lerp';
      throw new GradstepError(
        'ERR_INVALID_OPTION',
        `Expected ${key} to be '${other}' or 'lerp' but received ${describe(value)}${where}`,
      );
    },
    read: (struct, at) => (struct[at] === 0 ? other : 'lerp'),
    write: (struct, at, value) => {
      struct[at] = value === 'lerp' ? 1 : 0;
    },
  };
}

/** What an average shows of what it was made with, and does not let be replaced. */
export function showFields(
  average: object,
  fields: {
    readonly params: unknown;
    readonly paramNames: unknown;
    readonly averages: Map<ParameterLike, Floats>;
  },
): void {
  const { params, paramNames } = fields;
  const averages = fixedMap(fields.averages, 'averages', 'write into its arrays');
  const anew = 'make another average';
  const described = readOnlyFields({
    params: [() => params, anew],
    paramNames: [() => paramNames, anew],
    averages: [() => averages, 'write into its arrays'],
  });
  Object.defineProperties(average, described);
}

/** What is given when an average is made, and not kept without a word when it comes later. */
export function guardFields(prototype: object): void {
  refuseWrites(prototype);
  const late = /^(decay|form|warmup\w+|minDecay|update\w+|buffers|avgFn|lr)$/;
  watchNewFields(prototype, (_, key) => {
    if (late.test(key)) throw readOnlyError(key, 'it is given when the average is made');
  });
}
