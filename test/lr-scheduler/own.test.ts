/** Schedulers that users write: a subclass with getLr(). */

import { expect, test } from 'vitest';
import { GradstepError, LRScheduler, Parameter, SGD } from '../../lib/index.ts';

class Halves extends LRScheduler<{ readonly every?: number }> {
  constructor(of: SGD, options: { readonly every?: number } = {}) {
    super(
      {
        name: 'Halves',
        arguments: {
          every: {
            required: false,
            initial: 1,
            check: (value) => {
              if (typeof value === 'number') return value;
              throw new GradstepError('ERR_INVALID_OPTION', 'every');
            },
          },
        },
      },
      of,
      options,
    );
  }

  protected override getLr() {
    const factor = this.lastEpoch > 0 && this.lastEpoch % this.options.every === 0 ? 0.5 : 1;
    return this.groups().map(({ lr }) => lr * factor);
  }
}

test('a subclass with getLr() steps, saves and resumes', () => {
  const optimizer = new SGD([{ params: new Parameter([1]) }, { params: [], lr: 0.5 }], {
    lr: 0.05,
  });
  const lrs = () => optimizer.paramGroups.map(({ lr }) => lr);
  const scheduler = new Halves(optimizer, { every: 2 });
  const seen = Array.from({ length: 5 }, () => {
    const [lr] = lrs();
    scheduler.step();
    return lr;
  });
  expect(seen).toEqual([0.05, 0.05, 0.025, 0.025, 0.0125]);
  const state = JSON.parse(JSON.stringify(scheduler.stateDict()));
  const other = new SGD([{ params: [] }, { params: [] }]);
  const resumed = new Halves(other);
  resumed.loadStateDict(state);
  expect(resumed.options.every).toBe(2);
  resumed.step();
  scheduler.step();
  expect(other.paramGroups.map(({ lr }) => lr)).toEqual(lrs());
});
