/** schedule(): plain schedules bound to options of groups. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Adam, cosine, LambdaLR, linear, piecewise, SGD, schedule } from '../../lib/index.ts';
import { composition } from './arbitrary.ts';

const two = () =>
  new Adam(
    [
      { params: [], name: 'body' },
      { params: [], name: 'head', weightDecay: 0.5 },
    ],
    {
      lr: 0.1,
      weightDecay: 0.1,
    },
  );

const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('any option of any groups', () => {
  test('numbers, one of a pair, pairs, flags', () => {
    const optimizer = two();
    const scheduler = schedule(
      optimizer,
      {
        weightDecay: cosine({ from: 0.04, to: 0.4, steps: 10 }),
        'betas[0]': linear({ from: 0.9, to: 0.5, steps: 10 }),
        eps: () => 1e-6,
        amsgrad: (step) => step >= 5,
      },
      { groups: ['head'] },
    );
    const [body, head] = optimizer.paramGroups;
    expect(head).toMatchObject({
      weightDecay: 0.04,
      betas: [0.9, 0.999],
      eps: 1e-6,
      amsgrad: false,
    });
    for (let i = 0; i < 5; i++) scheduler.step();
    expect(head!.weightDecay).toBeCloseTo(0.22, 14);
    expect(head).toMatchObject({ betas: [0.7, 0.999], amsgrad: true, lr: 0.1 });
    expect({ ...body }).toEqual({ ...two().paramGroups[0] });
    expect(scheduler.lastStep).toBe(5);
    schedule(optimizer, { betas: () => [0.1, 0.2] as const });
    expect(head!.betas).toEqual([0.1, 0.2]);
  });

  test('a factor on what each group had', () => {
    const optimizer = two();
    const factors = { weightDecay: linear({ steps: 4 }), lr: () => 0.5 };
    const scheduler = schedule(optimizer, factors, { mode: 'multiplicative' });
    scheduler.step();
    expect(optimizer.paramGroups.map((g) => g.weightDecay)).toEqual([0.1 * 0.75, 0.5 * 0.75]);
    scheduler.step(4);
    optimizer.addParamGroup({ params: [], weightDecay: 8 });
    scheduler.step(2);
    expect(optimizer.paramGroups.map((g) => g.weightDecay)).toEqual([0.05, 0.25, 4]);
    expect(optimizer.paramGroups.map((g) => g.lr)).toEqual([0.05, 0.05, 0.05]);
    schedule(optimizer, { weightDecay: () => 1 }, { mode: 'multiplicative' });
    expect(optimizer.paramGroups.map((g) => g.weightDecay)).toEqual([0.1, 0.5, 8]);
  });
});

describe('options that go together', () => {
  test.each([[['nesterov', 'momentum']], [['momentum', 'nesterov']]])(
    'are written in an order that is accepted: %j',
    (order) => {
      const optimizer = new SGD([{ params: [] }], { lr: 0.1 });
      const on = (step: number) => step === 1;
      const all = { nesterov: on, momentum: (step: number) => (on(step) ? 0.9 : 0) };
      const given = Object.fromEntries(order.map((key) => [key, all[key as keyof typeof all]]));
      const scheduler = schedule(optimizer, given as typeof all);
      scheduler.step();
      expect(optimizer.paramGroups[0]).toMatchObject({ nesterov: true, momentum: 0.9 });
      scheduler.step();
      expect(optimizer.paramGroups[0]).toMatchObject({ nesterov: false, momentum: 0 });
      const before = { ...optimizer.paramGroups[0] };
      expect(() => schedule(optimizer, { lr: () => 1, nesterov: () => true })).toThrow(/Nesterov/);
      expect({ ...optimizer.paramGroups[0] }).toEqual(before);
    },
  );
});

describe('resumes from the step number', () => {
  test('absolute: from the number alone', () => {
    const schedules = { lr: cosine({ from: 0.3, steps: 50 }), 'betas[1]': () => 0.9 };
    const whole = two();
    const scheduler = schedule(whole, schedules);
    for (let i = 0; i < 20; i++) scheduler.step();
    expect(scheduler.stateDict()).toEqual({ type: 'schedule', lastStep: 20 });
    const resumed = two();
    schedule(resumed, schedules, { step: 20 });
    expect(resumed.paramGroups.map((g) => ({ ...g }))).toEqual(
      whole.paramGroups.map((g) => ({ ...g })),
    );
  });

  test('random compositions, both modes: resumed = uninterrupted at every step', () => {
    const mode = fc.constantFrom('absolute', 'multiplicative');
    const cut = fc.nat(40);
    fc.assert(
      fc.property(composition, composition, mode, cut, (lr, weightDecay, how, at) => {
        const options = { mode: how as 'absolute' | 'multiplicative' };
        const run = (optimizer: Adam, scheduler: { step(): void }, count: number) =>
          Array.from({ length: count }, () => {
            scheduler.step();
            return optimizer.paramGroups.map((g) => [g.lr, g.weightDecay]);
          });
        const whole = two();
        const first = schedule(whole, { lr, weightDecay }, options);
        run(whole, first, at);
        const now = whole.paramGroups.map((g) => [g.lr, g.weightDecay]);
        const state = json(first.stateDict());
        const resumed = two();
        const second = schedule(resumed, { lr, weightDecay }, options);
        second.loadStateDict(state);
        expect(resumed.paramGroups.map((g) => [g.lr, g.weightDecay])).toEqual(now);
        expect(run(resumed, second, 30)).toEqual(run(whole, first, 30));
        expect(second.stateDict()).toEqual(first.stateDict());
      }),
      { numRuns: 200 },
    );
  });
});

describe('checks', () => {
  const bind = (schedules: object, options?: object) => () =>
    schedule(two(), schedules as never, options);

  test.each([
    [{ weightdecay: () => 1 }, {}, 'ERR_UNKNOWN_OPTION', 'did you mean weightDecay'],
    [{ params: () => 1 }, {}, 'ERR_UNKNOWN_OPTION', "Unknown option 'params'"],
    [{ 'betas[2]': () => 1 }, {}, 'ERR_UNKNOWN_OPTION', 'betas to have an item 2'],
    [{ 'lr[0]': () => 1 }, {}, 'ERR_UNKNOWN_OPTION', 'lr to have an item 0 but it is 0.1'],
    [{ lr: 0.1 }, {}, 'ERR_INVALID_OPTION', 'the schedule of lr to be a function'],
    [{}, {}, 'ERR_INVALID_ARGUMENT', 'but received an object'],
    [{ betas: () => [0, 0], 'betas[0]': () => 0 }, {}, 'ERR_INVALID_ARGUMENT', 'a second one'],
    [
      { amsgrad: () => 1 },
      { mode: 'multiplicative' },
      'ERR_INVALID_ARGUMENT',
      'amsgrad to be a number',
    ],
    [{ lr: () => 1 }, { mode: 'both' }, 'ERR_INVALID_OPTION', "'absolute' or 'multiplicative'"],
    [{ lr: () => 1 }, { group: ['head'] }, 'ERR_UNKNOWN_OPTION', "Unknown option 'group'"],
    [{ lr: () => 1 }, 3, 'ERR_INVALID_OPTION', 'the options of schedule() as an object'],
    [{ lr: () => 1 }, { groups: ['tail'] }, 'ERR_INVALID_ARGUMENT', "among 'body', 'head'"],
    [{ lr: () => -1 }, {}, 'ERR_INVALID_OPTION', 'Invalid learning rate: -1'],
  ])('%o %o', (schedules, options, code, phrase) => {
    const refused = { code, message: expect.stringContaining(phrase) };
    expect(bind(schedules, options as object)).toThrow(expect.objectContaining(refused));
  });

  test('what fails changes nothing', () => {
    const optimizer = new SGD([{ params: [] }, { params: [] }], { lr: 0.1, momentum: 0.9 });
    const schedules = {
      lr: piecewise([
        [0, 0.5],
        [2, 0.25],
      ]),
      momentum: (t: number) => 0.9 - t,
    };
    const scheduler = schedule(optimizer, schedules);
    const before = optimizer.paramGroups.map((group) => ({ ...group }));
    expect(() => scheduler.step(2)).toThrow(/Invalid momentum value/);
    expect(optimizer.paramGroups.map((group) => ({ ...group }))).toEqual(before);
    expect(scheduler.lastStep).toBe(0);
    for (const bad of [null, { type: 'StepLR' }, { type: 'schedule', lastStep: -1 }]) {
      expect(() => scheduler.loadStateDict(bad as never)).toThrow(/Expected/);
    }
    const factor = schedule(optimizer, { lr: () => 1 }, { mode: 'multiplicative' });
    expect(() =>
      factor.loadStateDict({ type: 'schedule', lastStep: 1, base: { lr: [1] } }),
    ).toThrow('loaded state dict has a different number of parameter groups');
    const bad = { type: 'schedule', lastStep: 1, base: { lr: [0.3, -1] } } as const;
    expect(() => factor.loadStateDict(bad)).toThrow(/Invalid learning rate: -1/);
    expect(factor.stateDict().base).toEqual({ lr: [0.5, 0.5] });
    expect(new LambdaLR(optimizer, { lrLambda: () => 1 }).baseLrs).toEqual([0.5, 0.5]);
  });
});
