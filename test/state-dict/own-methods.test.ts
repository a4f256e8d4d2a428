/** State of a subclass's own: told where it would be lost. */

import { describe, expect, it } from 'vitest';
import { combine, ExponentialLR, SequentialLR, SGD } from '../../lib/index.ts';
import { expectError, parameter } from '../support/helpers.ts';

class Counting extends SGD {
  extra = 0;
  override stateDict() {
    return { ...super.stateDict(), extra: this.extra };
  }
  override loadStateDict(dict: ReturnType<SGD['stateDict']> & { extra?: number }) {
    this.extra = dict.extra ?? 0;
    return super.loadStateDict(dict);
  }
}

class CountingLR extends ExponentialLR {
  override loadStateDict(state: ReturnType<ExponentialLR['stateDict']>) {
    super.loadStateDict(state);
  }
}

describe('methods of a subclass', () => {
  it('save and load by themselves', () => {
    const optimizer = new Counting([parameter(3, 'w')]);
    optimizer.extra = 5;
    const other = new Counting([parameter(3, 'w')]);
    other.loadStateDict(optimizer.stateDict());
    expect(other.extra).toBe(5);
  });

  it('are refused inside combine(), by both calls', () => {
    const plain = combine([new SGD([parameter(3, 'w')])]).stateDict();
    const both = combine([new Counting([parameter(3, 'w')])]);
    expectError(() => both.stateDict(), 'ERR_STATE_DICT', 'registerStateDictPostHook()');
    expectError(() => both.loadStateDict(plain), 'ERR_STATE_DICT', 'registerStateDictPostHook()');
  });

  it('are refused inside a SequentialLR, by both calls', () => {
    const make = (Class: typeof ExponentialLR) => {
      const optimizer = new SGD([parameter(3, 'w')], { lr: 1 });
      const schedulers = [new Class(optimizer, { gamma: 0.5 })];
      return new SequentialLR(optimizer, { schedulers, milestones: [] });
    };
    const state = make(ExponentialLR).stateDict();
    const own = make(CountingLR);
    const sentence = 'schedulers of a SequentialLR without a loadStateDict of their own';
    expectError(() => own.stateDict(), 'ERR_INVALID_ARGUMENT', sentence);
    expectError(() => own.loadStateDict(state), 'ERR_INVALID_ARGUMENT', sentence);
  });
});
