/** Options that most optimizers have, with torch's names for them in messages. */

import { number, type Option, refuse } from '../options/option.ts';

/** Learning rate, >= 0. */
export const lr = (initial: number): Option<number> =>
  number(initial, { label: 'learning rate', min: 0 });

/** Added to a denominator: 0, or a number that float32 tells from 0. */
export function eps(initial: number): Option<number> {
  const label = 'epsilon value';
  const option = number(initial, { label, min: 0 });
  return {
    ...option,
    check(value, key, where) {
      const checked = option.check(value, key, where);
      if (checked === 0 || Math.fround(checked) > 0) return checked;
      return refuse(
        label,
        String(checked),
        `${key} to be 0, or at least 1e-45: float32 makes it 0, and then a zero gradient NaN`,
        where,
      );
    },
  };
}

/** L2 penalty or decoupled decay, >= 0. */
export const weightDecay = (initial: number): Option<number> =>
  number(initial, { label: 'weight_decay value', min: 0 });
