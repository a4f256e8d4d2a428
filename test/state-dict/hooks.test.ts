/** Hooks around state dicts, as torch's. */

import { describe, expect, it } from 'vitest';
import { combine, SGD } from '../../lib/index.ts';
import { expectError, parameter } from '../support/helpers.ts';

const make = () => new SGD([parameter(3, 'w')], { momentum: 0.9 });

describe('state dict hooks', () => {
  it('run in order, prepended ones first, and may give another dict', () => {
    const optimizer = make();
    const log: unknown[] = [];
    optimizer.registerStateDictPreHook((o) => log.push(['pre', o === optimizer]));
    optimizer.registerStateDictPreHook(() => log.push('first'), { prepend: true });
    optimizer.registerStateDictPostHook((_o, dict) => {
      log.push('post', dict.type);
    });
    const handle = optimizer.registerStateDictPostHook((_o, dict) => ({ ...dict, type: 'mine' }));
    expect(optimizer.stateDict().type).toBe('mine');
    handle.remove();
    expect(optimizer.stateDict().type).toBe('SGD');
    const once = ['first', ['pre', true], 'post', 'SGD'];
    expect(log).toEqual([...once, ...once]);
  });

  it('run before and after a load, which the first may give another dict', () => {
    const optimizer = make();
    const dict = optimizer.stateDict();
    const log: unknown[] = [];
    optimizer.registerLoadStateDictPreHook((_o, given) => {
      expect(given).not.toBe(dict);
      (given as { type: string }).type = 'changed'; // a shallow copy
      const groups = given.paramGroups.map((group) => ({ ...group, lr: 0.5 }));
      return { ...given, type: 'SGD', paramGroups: groups };
    });
    optimizer.registerLoadStateDictPostHook((o) => log.push(o.paramGroups[0]!.lr));
    optimizer.loadStateDict(dict);
    expect([log, dict.type]).toEqual([[0.5], 'SGD']);
  });

  it('that throw before a load leave everything; after it, they leave it loaded', () => {
    const optimizer = make();
    const dict = optimizer.stateDict();
    optimizer.paramGroups[0]!.lr = 0.5;
    const fail = () => {
      throw new RangeError('mine');
    };
    const handle = optimizer.registerLoadStateDictPreHook(fail);
    expect(() => optimizer.loadStateDict(dict)).toThrow(RangeError);
    expect(optimizer.paramGroups[0]!.lr).toBe(0.5);
    handle.remove();
    optimizer.registerLoadStateDictPostHook(fail);
    expect(() => optimizer.loadStateDict(dict)).toThrow(RangeError);
    expect(optimizer.paramGroups[0]!.lr).toBe(1e-3);
  });

  it('of combined optimizers run around those of the parts', () => {
    const parts = [make(), make()];
    const combined = combine(parts);
    const log: string[] = [];
    combined.registerLoadStateDictPreHook(() => void log.push('pre'));
    combined.registerLoadStateDictPostHook(() => log.push('post'));
    parts[1]!.registerLoadStateDictPreHook(() => void log.push('pre 1'));
    parts[1]!.registerLoadStateDictPostHook(() => log.push('post 1'));
    combined.loadStateDict(combined.stateDict());
    expect(log).toEqual(['pre', 'pre 1', 'post 1', 'post']);
  });

  it('have to be functions', () => {
    for (const register of [
      'registerStateDictPreHook',
      'registerStateDictPostHook',
      'registerLoadStateDictPreHook',
      'registerLoadStateDictPostHook',
    ] as const) {
      expectError(() => make()[register](3 as never), 'ERR_INVALID_ARGUMENT', 'a function');
      expectError(
        () => make()[register](() => undefined, { first: true } as never),
        'ERR_INVALID_ARGUMENT',
        "'first'",
      );
    }
  });
});
