/** Groups that are added later, and schedules for some groups only. */

import { describe, expect, test } from 'vitest';
import {
  Adam,
  type AnyScheduler,
  ChainedScheduler,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  OneCycleLR,
  Parameter,
  type SchedulableOptimizer,
  SequentialLR,
  SGD,
  StepLR,
} from '../../lib/index.ts';

const sgd = (lr = 0.1) => new SGD([{ params: new Parameter([1]), name: 'body' }], { lr });
const lrs = (optimizer: SchedulableOptimizer) => optimizer.paramGroups.map(({ lr }) => lr);
const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('groups that are added later', () => {
  const late: [string, (o: SGD) => AnyScheduler, (t: number, base: number) => number][] = [
    [
      'LambdaLR',
      (o) => new LambdaLR(o, { lrLambda: (t) => 0.9 ** t }),
      (t, base) => base * 0.9 ** t,
    ],
    [
      'CosineAnnealingWarmRestarts',
      (o) => new CosineAnnealingWarmRestarts(o, { T0: 20 }),
      (t, base) => (base * (1 + Math.cos((Math.PI * t) / 20))) / 2,
    ],
    [
      'CyclicLR',
      (o) => new CyclicLR(o, { baseLr: 0.1, maxLr: 1, stepSizeUp: 20 }),
      (t) => 0.1 + (0.9 * t) / 20,
    ],
    [
      'ExponentialLR',
      (o) => new ExponentialLR(o, { gamma: 0.9 }),
      (t, base) => base * 0.9 ** (t - 4),
    ],
    [
      'OneCycleLR',
      (o) => new OneCycleLR(o, { maxLr: 1, totalSteps: 30, annealStrategy: 'linear' }),
      (t) => 0.04 + (0.96 * t) / 8,
    ],
  ];

  test.each(late)('%s follows them from their own base lr', (name, make, expected) => {
    const optimizer = sgd();
    const scheduler = make(optimizer);
    for (let i = 0; i < 4; i++) scheduler.step();
    optimizer.addParamGroup({ params: new Parameter([1]), lr: 0.7 });
    scheduler.step();
    scheduler.step();
    const [, added] = lrs(optimizer);
    expect(added).toBeCloseTo(expected(6, 0.7), 12);
    expect(scheduler.getLastLr()).toEqual(lrs(optimizer));
    const base = { CyclicLR: 0.1, OneCycleLR: 0.04 }[name] ?? 0.7;
    expect(scheduler.baseLrs[1]).toBe(base);

    const other = sgd();
    other.addParamGroup({ params: new Parameter([1]) });
    const resumed = make(other);
    resumed.loadStateDict(json(scheduler.stateDict()));
    scheduler.step();
    resumed.step();
    expect(lrs(other)).toEqual(lrs(optimizer));
  });

  test('a sequence hands them on, and an optimizer may start without groups', () => {
    const optimizer = new SGD([], { lr: 0.1 });
    const schedulers = [
      new ExponentialLR(optimizer, { gamma: 0.5 }),
      new StepLR(optimizer, { stepSize: 2 }),
    ];
    const scheduler = new SequentialLR(optimizer, { schedulers, milestones: [3] });
    scheduler.step();
    optimizer.addParamGroup({ params: new Parameter([1]) });
    scheduler.step();
    expect(lrs(optimizer)).toEqual([0.05]);
    scheduler.step();
    expect(lrs(optimizer)).toEqual([0.1]);
    scheduler.step();
    scheduler.step();
    expect(scheduler.getLastLr()[0]).toBeCloseTo(0.01, 15);
  });

  test('a state that is saved before their first step can be loaded', () => {
    const optimizer = sgd();
    const parts = (of: SGD) => [
      new StepLR(of, { stepSize: 2 }),
      new ExponentialLR(of, { gamma: 0.5 }),
    ];
    const chain = new ChainedScheduler(parts(optimizer));
    chain.step();
    optimizer.addParamGroup({ params: new Parameter([1]), lr: 0.7 });
    const state = json(chain.stateDict());
    const other = sgd();
    other.addParamGroup({ params: new Parameter([1]) });
    const resumed = new ChainedScheduler(parts(other));
    resumed.loadStateDict(state);
    expect(lrs(other)).toEqual([0.05, 0.7]);
    for (let i = 0; i < 5; i++) {
      chain.step();
      resumed.step();
      expect(lrs(other)).toEqual(lrs(optimizer));
    }
    const [first] = state.schedulers!;
    expect(() => chain.loadStateDict({ ...state, schedulers: [first!, first!] })).toThrow(
      /the state of a ExponentialLR but received 'StepLR'/,
    );
  });

  test('looking at a scheduler changes nothing', () => {
    const run = (look: boolean) => {
      const optimizer = sgd();
      const chain = new ChainedScheduler([
        new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 30 }),
        new CosineAnnealingWarmRestarts(optimizer, { T0: 20 }),
      ]);
      optimizer.addParamGroup({ params: new Parameter([1]), lr: 0.7 });
      if (look) json([chain.baseLrs, chain.stateDict(), chain.schedulers.map((s) => s.baseLrs)]);
      optimizer.paramGroups[1]!.lr = 0.3;
      chain.step();
      return [...lrs(optimizer), ...chain.schedulers.map(({ baseLrs }) => baseLrs[1])];
    };
    expect(run(true)).toEqual(run(false));
    expect(run(true).at(-1)).toBe(0.3);
  });

  test('one value for each group is no longer enough', () => {
    const optimizer = sgd();
    const scheduler = new LambdaLR(optimizer, { lrLambda: [() => 0.5] });
    optimizer.addParamGroup({ params: [] });
    expect(() => scheduler.step()).toThrow('Expected 2 lr_lambdas, but got 1');
    expect(lrs(optimizer)).toEqual([0.05, 0.1]);
    scheduler.options.lrLambda = [() => 0.5, () => 0.25];
    scheduler.step();
    expect(lrs(optimizer)).toEqual([0.05, 0.025]);
  });
});

describe('some groups only', () => {
  const two = () =>
    new Adam(
      [
        { params: [], name: 'body' },
        { params: [], name: 'head' },
      ],
      { lr: 0.1 },
    );

  test('by name, by index, by function; others are left alone', () => {
    for (const groups of [['head'], [1], (group: { name?: string }) => group.name === 'head']) {
      const optimizer = two();
      const scheduler = new StepLR(optimizer, { stepSize: 1, groups });
      optimizer.addParamGroup({ params: [], name: 'tail' });
      scheduler.step();
      expect(lrs(optimizer)).toEqual([0.1, 0.1 * 0.1, 0.1]);
      expect(scheduler.getLastLr()).toEqual([0.1 * 0.1]);
    }
  });

  test('a schedule for each group, in one chain', () => {
    const optimizer = two();
    const chain = new ChainedScheduler([
      new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 10, groups: ['body'] }),
      new ExponentialLR(optimizer, { gamma: 0.5, groups: ['head'] }),
    ]);
    chain.step();
    expect(lrs(optimizer)[1]).toBe(0.05);
    expect(optimizer.paramGroups[1]!.betas).toEqual([0.9, 0.999]);
    expect(optimizer.paramGroups[0]!.betas[0]).not.toBe(0.9);
    optimizer.addParamGroup({ params: [], name: 'head' });
    chain.step();
    expect(lrs(optimizer)[2]).toBe(0.05);
  });
});
