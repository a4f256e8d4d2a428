/** Options of averages. */

import { number, type Option } from '../options/option.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

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
