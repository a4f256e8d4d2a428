/** What an optimizer, a group, a state or an arena shows cannot be replaced, and says what to do. */

import { describe, expect, it } from 'vitest';
import { Adam, AdamW, combine, EMA, ParameterArena, SGD } from '../../lib/index.ts';
import { expectError, onEachBackend, parameter } from '../support/helpers.ts';
import { MyLion } from './my-lion.ts';

const set = (object: object, key: string, value: unknown) => () =>
  Object.assign(object, { [key]: value });

onEachBackend(() => {
  describe('an option that is assigned to an optimizer', () => {
    it.each([
      ['lr', 'optimizer.paramGroups[0].lr'],
      ['learning_rate', 'optimizer.paramGroups[0].lr'],
      ['learningRate', 'optimizer.paramGroups[0].lr'],
      ['weight_decay', 'optimizer.paramGroups[0].weightDecay'],
      ['frozen', 'optimizer.paramGroups[0].frozen'],
      ['maxGradNorm', 'optimizer.stepOptions.maxGradNorm'],
      ['onNonFinite', 'optimizer.stepOptions.onNonFinite'],
    ])('is refused: %s', (key, instead) => {
      const optimizers = [new Adam([parameter()]), combine([new AdamW([parameter()])])];
      for (const o of optimizers) {
        expectError(set(o, key, 1), 'ERR_UNKNOWN_OPTION', `has no '${key}' of its own; `);
        expectError(set(o, key, 1), 'ERR_UNKNOWN_OPTION', instead);
        expect(Object.keys(o)).not.toContain(key);
        o.step();
      }
    });

    it('is refused in an optimizer of a user, and only what is one of its own', () => {
      const o = new MyLion([parameter()]);
      expectError(set(o, 'lr', 1), 'ERR_UNKNOWN_OPTION', 'paramGroups[0].lr');
      expect(set(o, 'amsgrad', true)()).toHaveProperty('amsgrad', true);
    });
  });

  it('fields of a subclass, and those that somebody adds, are theirs', () => {
    class Traced extends Adam {
      lr = 5; // declared
      momentum: number;
      #secret = 1;
      constructor() {
        super([parameter()]);
        this.momentum = 2; // no option of Adam
      }
      get betas() {
        return this.#secret;
      }
      set betas(value) {
        this.#secret = value;
      }
    }
    const o = Object.assign(new Traced(), { name: 'generator', epoch: 3 });
    o.betas = 7;
    o.lr = 6;
    expect({ ...o }).toMatchObject({ lr: 6, momentum: 2, name: 'generator', epoch: 3 });
    expect([o.betas, 'unknown' in o, (o as { unknown?: 1 }).unknown]).toEqual([
      7,
      false,
      undefined,
    ]);
    const frozen = Object.freeze(new Adam([]));
    expect(set(frozen, 'epoch', 1)).toThrow(TypeError);
    expect(frozen instanceof Adam && !(frozen instanceof SGD)).toBe(true);
  });

  it.each([
    ['paramGroups', 'use addParamGroup()'],
    ['defaults', 'set its options one by one'],
    ['stepOptions', 'set its options one by one'],
    ['state', 'resetState()'],
    ['lastStep', 'it only shows something'],
  ])('%s of an optimizer stays', (key, instead) => {
    const o = new SGD([parameter()]);
    expectError(set(o, key, []), 'ERR_READ_ONLY', `${key} cannot be replaced: `);
    expectError(set(o, key, []), 'ERR_READ_ONLY', instead);
    expect(Object.keys(o)).toEqual(['defaults', 'paramGroups', 'stepOptions', 'state']);
    const both = combine([o]);
    expectError(set(both, 'paramGroups', []), 'ERR_READ_ONLY', 'paramGroups cannot be replaced');
  });

  it('what groups and states show stays', () => {
    const p = parameter();
    const o = new Adam([['w', p]]);
    o.step();
    const [group] = o.paramGroups;
    expectError(set(group!, 'params', []), 'ERR_READ_ONLY', 'use replaceParameter()');
    expectError(set(group!, 'paramNames', []), 'ERR_READ_ONLY', 'paramNames cannot be replaced');
    const state = o.state.get(p)!;
    expectError(set(state, 'step', 5), 'ERR_READ_ONLY', 'step cannot be replaced');
    expectError(set(state, 'expAvg', p.data), 'ERR_READ_ONLY', 'with set() or fill()');
    expect([state.step, structuredClone(state).step, { ...state }.step]).toEqual([1, 1, 1]);
  });

  it('an arena keeps its memory', () => {
    const arena = new ParameterArena([[2]]);
    for (const key of ['data', 'grad', 'parameters']) {
      expectError(set(arena, key, new Float32Array(2)), 'ERR_READ_ONLY', `${key} cannot be`);
    }
    expect(Object.keys(arena)).toEqual(['data', 'grad', 'parameters']);
  });

  it('data that is no array any more is a coded error to an average', () => {
    for (const data of [undefined, null, 5, {}]) {
      const p = { data: new Float32Array(2), grad: null };
      const [ema, o] = [new EMA([p]), new SGD([p])];
      Object.assign(p, { data });
      for (const call of [() => ema.update(), () => ema.swap(), () => o.step()]) {
        expectError(call, 'ERR_INVALID_PARAMETER', 'Expected data of parameter');
      }
    }
  });

  it('an object that only inherits from a signal is none', async () => {
    const o = new SGD([parameter()]);
    for (const signal of [Object.create(AbortSignal.prototype), {}, null]) {
      const step = o.stepAsync(undefined, { signal });
      await expect(step).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    }
    const abort = new AbortController();
    Object.assign(abort.signal, { throwIfAborted: 5, addEventListener: 5 });
    abort.abort(new Error('mine'));
    await expect(o.stepAsync(undefined, { signal: abort.signal })).rejects.toThrow('mine');
  });
});
