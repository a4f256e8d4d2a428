/** ReduceLROnPlateau, alone and inside compositions. */

import { beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyScheduler,
  ChainedScheduler,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  Parameter,
  ReduceLROnPlateau,
  type SchedulableOptimizer,
  SequentialLR,
  SGD,
} from '../../lib/index.ts';

const sgd = (lr = 0.1) => new SGD([{ params: new Parameter([1]), name: 'body' }], { lr });
const lrs = (optimizer: SchedulableOptimizer) => optimizer.paramGroups.map(({ lr }) => lr);
const times = (value: number, count: number) => new Array<number>(count).fill(value);

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `at ${i}`).toBeLessThanOrEqual(1e-12);
  });
}

describe('ReduceLROnPlateau', () => {
  let optimizer: SGD;

  beforeEach(() => {
    const groups = [{ params: new Parameter([1]) }, { params: new Parameter([1]), lr: 0.5 }];
    optimizer = new SGD(groups, { lr: 0.05 });
  });

  const one = { lr: 0.5 };
  const metric = {
    slow: (i: number) => 10 - i * 0.0165,
    rises: (i: number) => 1.5 * 1.005 ** i,
  };

  test.each([
    [
      'reduces when the improvement is too small',
      'slow',
      { patience: 5, threshold: 0.1, thresholdMode: 'abs' },
      [6, 7, 7, 2],
    ],
    [
      'waits in the cooldown',
      'rises',
      { mode: 'max', threshold: 0.1, patience: 5, cooldown: 5 },
      [6, 11, 3],
    ],
  ] as const)('%s', (_, name, options, lengths) => {
    const own = new SGD([new Parameter([1])], one);
    const scheduler = new ReduceLROnPlateau(own, options);
    const target = lengths.flatMap((length, i) => times(0.5 * 0.1 ** i, length));
    const seen = target.map((_, i) => {
      scheduler.step(metric[name](i));
      return own.paramGroups[0]!.lr;
    });
    expectClose(seen, target);
  });

  test('knows the lr before its first step, and refuses what is no metric', () => {
    const scheduler = new ReduceLROnPlateau(optimizer);
    expect(scheduler.getLastLr()).toEqual([0.05, 0.5]);
    expect(() => scheduler.step(undefined)).toThrow(/Expected the metric .* received undefined/);
    expect(scheduler.lastEpoch).toBe(0);
  });

  test.each([
    ['min', -Infinity],
    ['max', Infinity],
  ] as const)('mode %s: a best of %d survives JSON', (mode, best) => {
    const own = new SGD([new Parameter([1])], one);
    const scheduler = new ReduceLROnPlateau(own, { mode, patience: 0 });
    scheduler.step(best);
    const state = JSON.parse(JSON.stringify(scheduler.stateDict()));
    const other = new SGD([new Parameter([1])], one);
    const resumed = new ReduceLROnPlateau(other, { mode, patience: 0 });
    expect(resumed.best).toBe(undefined);
    resumed.loadStateDict(state);
    expect(resumed.best).toBe(best);
    resumed.step(0);
    scheduler.step(0);
    expect(other.paramGroups[0]!.lr).toBe(0.05);
    expect(own.paramGroups[0]!.lr).toBe(0.05);
    for (const bad of ['infinity', Number.NaN, true, [1]]) {
      expect(() => resumed.loadStateDict({ ...state, best: bad })).toThrow(/best in the state/);
    }
  });

  test('a relative threshold turns round where metrics are negative, as in torch', () => {
    const options = { patience: 0, threshold: 0.1 };
    const scheduler = new ReduceLROnPlateau(optimizer, options);
    scheduler.step(-10);
    for (const worse of [-9.5, -9, -8.5]) scheduler.step(worse); // each above -10 * 0.9 ** n
    expect(lrs(optimizer)).toEqual([0.05, 0.5]);
    const absolute = new ReduceLROnPlateau(optimizer, { ...options, thresholdMode: 'abs' });
    absolute.step(-10);
    absolute.step(-9.5);
    expectClose(lrs(optimizer), [0.005, 0.05]);
  });

  test('a least lr for each group', () => {
    const scheduler = new ReduceLROnPlateau(optimizer, { minLr: [0.04, 0.3], patience: 0 });
    for (let i = 0; i < 4; i++) scheduler.step(i);
    expect(lrs(optimizer)).toEqual([0.04, 0.3]);
  });

  test('a group that is added is followed; a list of least lrs has to follow too', () => {
    const plain = new ReduceLROnPlateau(optimizer, { patience: 0 });
    const listed = new ReduceLROnPlateau(optimizer, { patience: 0, minLr: [0.01, 0.02] });
    optimizer.addParamGroup({ params: new Parameter([1]), lr: 0.8 });
    plain.step(1);
    plain.step(2);
    expectClose(lrs(optimizer), [0.005, 0.05, 0.08]);
    listed.step(1);
    const before = JSON.stringify(lrs(optimizer));
    expect(() => listed.step(2)).toThrow(
      /number of param groups in the `optimizer` \(3\) differs from when .* \(2\)/,
    );
    expect(JSON.stringify(lrs(optimizer))).toBe(before);
    listed.options.minLr = [0.001, 0.002, 0.003];
    listed.step(2);
    expectClose(lrs(optimizer), [0.001, 0.005, 0.008]);
  });
});

describe('ReduceLROnPlateau composes', () => {
  test('after a warm-up, in a sequence', () => {
    const optimizer = sgd();
    const schedulers = [
      new LinearLR(optimizer, { startFactor: 0.25, totalIters: 3 }),
      new ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.5 }),
    ];
    const scheduler = new SequentialLR(optimizer, { schedulers, milestones: [3] });
    const seen = [1, 1, 1, 1, 1, 1, 1, 1, 1].map((metric) => {
      scheduler.step(metric);
      return optimizer.paramGroups[0]!.lr;
    });
    const expected = [0.05, 0.075, 0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025];
    seen.forEach((lr, i) => {
      expect(lr, `at ${i}`).toBeCloseTo(expected[i]!, 12);
    });
    expect(() => scheduler.step()).toThrow(/metric of ReduceLROnPlateau/);
  });

  const besides: [string, (o: SGD) => AnyScheduler][] = [
    ['LambdaLR', (o) => new LambdaLR(o, { lrLambda: (t) => 0.9 ** t })],
    ['CosineAnnealingLR', (o) => new CosineAnnealingLR(o, { TMax: 30 })],
    ['CosineAnnealingWarmRestarts', (o) => new CosineAnnealingWarmRestarts(o, { T0: 5 })],
    [
      'SequentialLR',
      (o) =>
        new SequentialLR(o, {
          schedulers: [new LinearLR(o), new ExponentialLR(o, { gamma: 0.9 })],
          milestones: [4],
        }),
    ],
  ];

  test.each(besides)('in a chain with %s, its reductions stay in force', (_, make) => {
    for (const first of [true, false]) {
      const optimizer = sgd();
      const plateau = new ReduceLROnPlateau(optimizer, { patience: 2, factor: 0.5 });
      const parts = first ? [plateau, make(optimizer)] : [make(optimizer), plateau];
      const chain = new ChainedScheduler(parts);
      const alone = sgd();
      const plain = make(alone);
      for (let t = 1; t < 20; t++) {
        chain.step(1);
        plain.step();
        const reductions = Math.floor((t - 1) / 3);
        const [lr] = lrs(optimizer);
        expect(lr, `at ${t}`).toBeCloseTo(lrs(alone)[0]! * 0.5 ** reductions, 14);
      }
    }
  });
});
