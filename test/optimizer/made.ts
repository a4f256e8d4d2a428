/** Optimizer classes for tests: with any update. */

import type { Update } from '../../lib/index.ts';
import { MyLion } from './my-lion.ts';

export type UpdateContext = Update<MyLion>;

/** A class of optimizers whose update is this function. */
export function made(
  update: (context: UpdateContext) => unknown,
  statics: object = {},
): typeof MyLion {
  class Made extends MyLion {
    static override defaults = MyLion.defaults;
    override update(context: UpdateContext) {
      return update(context) as undefined;
    }
  }
  return Object.assign(Made, statics);
}
