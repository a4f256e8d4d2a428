/**
 * What torch's users rely on: the cases of torch's own test_lrscheduler.py that say so, told
 * anew. Values over many steps are in lr-scheduler-values.test.ts.
 */

import { beforeEach, describe, expect, test } from 'vitest';
import {
  Adam,
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  type LRScheduler,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  Parameter,
  PolynomialLR,
  SequentialLR,
  SGD,
  StepLR,
  SWALR,
} from '../../lib/index.ts';

let optimizer: SGD;

beforeEach(() => {
  optimizer = new SGD([{ params: new Parameter([1]) }, { params: new Parameter([1]), lr: 0.5 }], {
    lr: 0.05,
  });
});

type Steppable = Pick<LRScheduler, 'step' | 'getLastLr'>;

const lrs = () => optimizer.paramGroups.map(({ lr }) => lr);

/** The lr of the first group at each epoch; the second is ten times as much. */
function epochs(count: number, ...schedulers: Steppable[]): number[] {
  return Array.from({ length: count }, () => {
    const [first, second] = lrs();
    expect(second).toBeCloseTo(first! * 10, 12);
    optimizer.step();
    for (const scheduler of schedulers) scheduler.step();
    return first!;
  });
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `at ${i}`).toBeLessThanOrEqual(1e-12);
  });
}

const times = (value: number, count: number) => new Array<number>(count).fill(value);

describe('one scheduler', () => {
  test('StepLR', () => {
    const target = [...times(0.05, 3), ...times(0.005, 3), ...times(0.0005, 3), 0.00005];
    expectClose(epochs(10, new StepLR(optimizer, { stepSize: 3 })), target);
  });

  test('MultiStepLR, in any order', () => {
    const scheduler = new MultiStepLR(optimizer, { milestones: [9, 2, 5] });
    const target = [...times(0.05, 2), ...times(0.005, 3), ...times(0.0005, 4), 0.00005];
    expectClose(epochs(10, scheduler), target);
  });

  test('ConstantLR, and its repair for factor 0', () => {
    const scheduler = new ConstantLR(optimizer, { factor: 0.5, totalIters: 5 });
    expectClose(epochs(10, scheduler), [...times(0.025, 5), ...times(0.05, 5)]);
    const off = new SGD([new Parameter([1])], { lr: 0.1 });
    const none = new ConstantLR(off, { factor: 0, totalIters: 2 });
    expect(off.paramGroups[0]!.lr).toBe(0);
    none.step();
    none.step();
    expect(off.paramGroups[0]!.lr).toBe(0.1);
  });

  test('LinearLR', () => {
    const scheduler = new LinearLR(optimizer, { startFactor: 0.5, totalIters: 4 });
    expectClose(epochs(6, scheduler), [0.025, 0.03125, 0.0375, 0.04375, 0.05, 0.05]);
  });

  test('LinearLR never falls below 0, whatever its length', () => {
    for (let totalIters = 1; totalIters < 300; totalIters++) {
      const one = new SGD([new Parameter([1])], { lr: 0.1 });
      const scheduler = new LinearLR(one, { startFactor: 1, endFactor: 0, totalIters });
      for (let i = 0; i < totalIters; i++) scheduler.step();
      expect(one.paramGroups[0]!.lr).toBeGreaterThanOrEqual(0);
      expect(one.paramGroups[0]!.lr).toBeLessThan(1e-12);
    }
  });

  test('PolynomialLR ends at 0', () => {
    const scheduler = new PolynomialLR(optimizer, { power: 0.9 });
    const target = [0, 1, 2, 3, 4, 5, 5, 5].map((t) => 0.05 * (1 - t / 5) ** 0.9);
    expectClose(epochs(8, scheduler), target);
  });

  test('LambdaLR and MultiplicativeLR with a function for each group', () => {
    const lrLambda = [(t: number) => 0.9 ** t, (t: number) => 0.8 ** t];
    const scheduler = new LambdaLR(optimizer, { lrLambda });
    for (let i = 0; i < 5; i++) scheduler.step();
    expectClose(lrs(), [0.05 * 0.9 ** 5, 0.5 * 0.8 ** 5]);
    const other = new SGD([{ params: [new Parameter([1])] }, { params: [], lr: 0.4 }], { lr: 0.1 });
    const factors = new MultiplicativeLR(other, { lrLambda: [() => 0.9, () => 0.8] });
    for (let i = 0; i < 3; i++) factors.step();
    expectClose(
      other.paramGroups.map(({ lr }) => lr),
      [0.1 * 0.9 ** 3, 0.4 * 0.8 ** 3],
    );
  });

  test('CosineAnnealingLR goes on from lastEpoch, by the closed form', () => {
    const options = { etaMin: 0.01, TMax: 5 };
    const first = new CosineAnnealingLR(optimizer, options);
    first.step();
    const before = lrs();
    const second = new CosineAnnealingLR(optimizer, { ...options, lastEpoch: 0 });
    expectClose(second.getLastLr(), before);
    expect(second.lastEpoch).toBe(first.lastEpoch);
  });

  test('CyclicLR and OneCycleLR move momentum, beta1, or nothing', () => {
    const triangle = { baseLr: 1, maxLr: 5, stepSizeUp: 4, baseMomentum: 0.1, maxMomentum: 0.5 };
    const cyclic = new CyclicLR(optimizer, triangle);
    const momenta = Array.from({ length: 9 }, () => {
      const { momentum } = optimizer.paramGroups[0]!;
      cyclic.step();
      return momentum;
    });
    expectClose(momenta, [0.5, 0.4, 0.3, 0.2, 0.1, 0.2, 0.3, 0.4, 0.5]);

    const adam = new Adam([new Parameter([1])], { betas: [0.9, 0.98] });
    new CyclicLR(adam, triangle);
    expect(adam.paramGroups[0]!.betas).toEqual([0.5, 0.98]);
    const still = new Adam([new Parameter([1])], { betas: [0.9, 0.98] });
    new OneCycleLR(still, { maxLr: 1, totalSteps: 10, cycleMomentum: false });
    expect(still.paramGroups[0]!.betas).toEqual([0.9, 0.98]);
  });

  test('OneCycleLR, linear', () => {
    const options = { maxLr: 25, finalDivFactor: 2, totalSteps: 10, cycleMomentum: false };
    const scheduler = new OneCycleLR(optimizer, { ...options, annealStrategy: 'linear' });
    const seen = Array.from({ length: 10 }, () => {
      const [lr] = lrs();
      scheduler.step();
      return lr!;
    });
    expectClose(seen, [1, 13, 25, 21.5, 18, 14.5, 11, 7.5, 4, 0.5]);
    expect(scheduler.baseLrs).toEqual([1, 1]);
  });

  test('OneCycleLR: the step past the end is an error, and changes nothing', () => {
    const scheduler = new OneCycleLR(optimizer, { maxLr: 1, epochs: 2, stepsPerEpoch: 3 });
    expect(scheduler.totalSteps).toBe(6);
    for (let i = 0; i < 6; i++) scheduler.step();
    const before = JSON.stringify([lrs(), scheduler.stateDict()]);
    expect(() => scheduler.step()).toThrow(
      expect.objectContaining({
        code: 'ERR_SCHEDULE_END',
        message: 'Tried to step 7 times. The specified number of total steps is 6',
      }),
    );
    expect(JSON.stringify([lrs(), scheduler.stateDict()])).toBe(before);
  });

  test('CosineAnnealingWarmRestarts begins a cycle exactly where it begins', () => {
    for (const TMult of [2, 3, 5, 10]) {
      const scheduler = new CosineAnnealingWarmRestarts(optimizer, { T0: 10, TMult });
      for (let n = 0, start = 0; n < 6; start += 10 * TMult ** n++) {
        scheduler.step(start);
        expect(lrs()).toEqual(scheduler.baseLrs);
      }
    }
  });

  test('SWALR at once, by cosine and by line', () => {
    const once = new SWALR(optimizer, { swaLr: 0.01, annealEpochs: 1 });
    expect(lrs()).toEqual([0.05, 0.5]);
    once.step();
    once.step();
    expectClose(lrs(), [0.01, 0.01]);
  });

  const jumps = [
    ['StepLR', () => new StepLR(optimizer, { stepSize: 2 })],
    ['ExponentialLR', () => new ExponentialLR(optimizer, { gamma: 0.9 })],
    ['ConstantLR', () => new ConstantLR(optimizer)],
    ['LinearLR', () => new LinearLR(optimizer)],
    ['PolynomialLR', () => new PolynomialLR(optimizer, { power: 0.9 })],
    ['MultiStepLR', () => new MultiStepLR(optimizer, { milestones: [1, 3] })],
    ['CosineAnnealingLR', () => new CosineAnnealingLR(optimizer, { TMax: 5 })],
  ] as const;

  test.each(jumps)('%s: step(epoch) is the closed form, the same every time', (_, make) => {
    const scheduler = make();
    const chained: number[][] = [lrs()];
    for (let i = 0; i < 20; i++) {
      scheduler.step();
      chained.push(lrs());
    }
    for (const epoch of [3, 3, 0, 20, 7]) {
      scheduler.step(epoch);
      expectClose(lrs(), chained[epoch]!);
      expect(scheduler.lastEpoch).toBe(epoch);
    }
  });
});

describe('several schedulers', () => {
  test('side by side they multiply', () => {
    const step = new StepLR(optimizer, { stepSize: 3 });
    const exponential = new ExponentialLR(optimizer, { gamma: 0.9 });
    const target = Array.from({ length: 10 }, (_, t) => 0.05 * 0.9 ** t * 0.1 ** Math.floor(t / 3));
    expectClose(epochs(10, step, exponential), target);
  });

  test('cosine beside a line', () => {
    const linear = new LinearLR(optimizer, { startFactor: 0.4, totalIters: 4 });
    const wave = new CosineAnnealingLR(optimizer, { TMax: 10 });
    const target = Array.from({ length: 10 }, (_, t) => {
      return 0.05 * ((1 + Math.cos((Math.PI * t) / 10)) / 2) * (0.4 + (0.6 * Math.min(4, t)) / 4);
    });
    expectClose(epochs(10, linear, wave), target);
  });

  test('a chain is the same as side by side', () => {
    const schedulers = [
      new ExponentialLR(optimizer, { gamma: 0.9 }),
      new ConstantLR(optimizer, { factor: 0.2, totalIters: 4 }),
      new StepLR(optimizer, { stepSize: 3 }),
    ];
    const chain = new ChainedScheduler(schedulers);
    expect(chain.getLastLr()).toEqual(schedulers.at(-1)!.getLastLr());
    const target = Array.from({ length: 9 }, (_, t) => {
      return 0.05 * 0.9 ** t * (t < 4 ? 0.2 : 1) * 0.1 ** Math.floor(t / 3);
    });
    expectClose(epochs(9, chain), target);
    expect(chain.getLastLr()).toEqual(schedulers.at(-1)!.getLastLr());
    expect(chain.optimizer).toBe(optimizer);
  });

  test('a sequence of three', () => {
    const scheduler = new SequentialLR(optimizer, {
      schedulers: [
        new ConstantLR(optimizer, { factor: 0.1, totalIters: 3 }),
        new ExponentialLR(optimizer, { gamma: 0.8 }),
        new StepLR(optimizer, { stepSize: 2 }),
      ],
      milestones: [3, 6],
    });
    const target = [times(0.005, 3), [0.05, 0.04, 0.032], times(0.05, 2), times(0.005, 2)].flat();
    expectClose(epochs(10, scheduler), target);
  });

  test('a sequence whose first milestone is 0 begins with the second', () => {
    const constant = (factor: number) => new ConstantLR(optimizer, { factor });
    const make = (factors: number[], milestones: number[]) =>
      new SequentialLR(optimizer, { schedulers: factors.map(constant), milestones });
    const scheduler = make([0.5, 0.1], [0]);
    expectClose(epochs(3, scheduler), times(0.005, 3));
    const warmup = new LinearLR(optimizer, { totalIters: 0 });
    const rest = new ExponentialLR(optimizer, { gamma: 0.5 });
    const outer = new SequentialLR(optimizer, {
      schedulers: [make([0.5, 0.2], [0]), warmup, rest],
      milestones: [2, 2],
    });
    expectClose(epochs(5, outer), [0.01, 0.01, 0.05, 0.025, 0.0125]);
  });

  test('making the parts of a sequence leaves the first lr as it was', () => {
    const constant = (factor: number) => new ConstantLR(optimizer, { factor });
    new SequentialLR(optimizer, { schedulers: [constant(1), constant(0.1)], milestones: [10] });
    expect(lrs()).toEqual([0.05, 0.5]);
  });
});
