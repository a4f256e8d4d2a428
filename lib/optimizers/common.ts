/** Options that most optimizers have, with torch's names for them in messages. */

import { number, type Option } from '../options/option.ts';

/** Learning rate, >= 0. */
export const lr = (initial: number): Option<number> =>
  number(initial, { label: 'learning rate', min: 0 });

/** Added to a denominator, >= 0. */
export const eps = (initial: number): Option<number> =>
  number(initial, { label: 'epsilon value', min: 0 });

/** L2 penalty or decoupled decay, >= 0. */
export const weightDecay = (initial: number): Option<number> =>
  number(initial, { label: 'weight_decay value', min: 0 });
