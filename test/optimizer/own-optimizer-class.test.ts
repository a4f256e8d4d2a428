/** What a class of optimizers that a user writes must be. */

import { describe, expect, it } from 'vitest';
import { Adam, Optimizer, option, SGD, type Update } from '../../lib/index.ts';
import { bits, expectError, parameter } from '../support/helpers.ts';
import { made } from './made.ts';
import { MyLion } from './my-lion.ts';

describe('a class', () => {
  it('must be complete', () => {
    class Nothing extends Optimizer {}
    expectError(
      () => new Nothing([]),
      'ERR_INVALID_ARGUMENT',
      'Expected Nothing to have a method update',
    );
    const Base = Optimizer as unknown as new (params: unknown) => Optimizer;
    expectError(() => new Base([]), 'ERR_INVALID_ARGUMENT', 'made through its subclasses');
  });

  const [argument, value] = ['ERR_INVALID_ARGUMENT', 'ERR_INVALID_OPTION'];
  const negative = option.number(-1, { min: 0 });
  it.each<[what: string, statics: object, code: string, text: string]>([
    ['defaults that are no object', { defaults: 5 }, argument, 'defaults of Made to be an object'],
    [
      'a default of another type',
      { defaults: { lr: '0.1' } },
      argument,
      'the default of lr in Made',
    ],
    ['a default that is not finite', { defaults: { lr: Number.NaN } }, value, 'a finite number'],
    ['three numbers', { defaults: { betas: [1, 2, 3] } }, value, 'an array of two numbers'],
    ['a default outside its bounds', { defaults: { lr: negative } }, value, '>= 0'],
    ['a key that groups have', { defaults: { params: 1 } }, argument, "no default for 'params'"],
    ['state that is no list', { state: 'expAvg' }, argument, 'state of Made to be an array'],
    ['a state twice', { state: ['a', 'a'] }, argument, 'different names'],
    ['a state called step', { state: ['step'] }, argument, "'step'"],
    ['a state without a name', { state: [''] }, argument, 'different names'],
    ['a state that is no name', { state: [5] }, argument, 'different names'],
  ])('must not have %s', (_what, statics, code, text) => {
    const Own = made(() => {}, statics);
    expectError(() => new Own([parameter()]), code, text);
  });

  it('may have neither options nor state', () => {
    class SignSGD extends Optimizer {
      override update({ data, grad }: Update<SignSGD>) {
        for (let i = 0; i < data.length; i++) data[i]! -= Math.sign(grad[i]!);
      }
    }
    const w = parameter();
    const o = new SignSGD([w]);
    o.step();
    expect([...w.data]).toEqual([0, 1, 2]);
    expect(Object.keys(o.state.get(w)!)).toEqual(['step']);
    expect(Object.keys(o.paramGroups[0]!)).toEqual(['params']);
  });

  it('may have bounds on every kind of option', () => {
    const range = { above: 0, below: 1 };
    const Own = made(() => {}, {
      defaults: {
        rate: option.number(0.5, range),
        on: option.flag(true),
        both: option.pair([0.5, 0.5], range),
      },
    });
    const o = new Own([parameter()]);
    const [group] = o.paramGroups as unknown as Record<string, unknown>[];
    expect({ ...group }).toMatchObject({ rate: 0.5, on: true, both: [0.5, 0.5] });
    expectError(
      () => (group!.rate = 0),
      'ERR_INVALID_OPTION',
      'rate to be a finite number > 0 and < 1',
    );
    expectError(() => (group!.both = [0.5, 1]), 'ERR_INVALID_OPTION', 'both[1]');
    expectError(() => (group!.on = 1), 'ERR_INVALID_OPTION', 'on to be a boolean');
  });

  it('may extend one, with options of its own', () => {
    class Child extends MyLion {
      static override defaults = { ...MyLion.defaults, lr: option.number(7, { min: 0 }) };
    }
    expect(new Child([]).defaults.lr).toBe(7);
    expect(new MyLion([]).defaults.lr).toBe(1e-4);
    expect(String(new Child([]))).toContain('Child (');
  });

  it('that extends a built-in one is stepped as that is', () => {
    class Loud extends Adam {
      steps = 0;
      override step(closure?: () => unknown): undefined {
        this.steps += 1;
        return super.step(closure as () => undefined);
      }
    }
    const [w, v] = [parameter(), parameter()];
    const o = new Loud([w]);
    o.step();
    new Adam([v]).step();
    expect(bits(w.data)).toEqual(bits(v.data));
    expect(o.steps).toBe(1);
    expect(new SGD([]).update).toBeUndefined();
  });
});
