/** State dicts, and runs that are resumed without one. */

import { describe, expect, test } from 'vitest';
import {
  type AnyScheduler,
  ChainedScheduler,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiStepLR,
  OneCycleLR,
  Parameter,
  ReduceLROnPlateau,
  type SchedulableOptimizer,
  SequentialLR,
  SGD,
  StepLR,
  SWALR,
} from '../../lib/index.ts';

const sgd = (lr = 0.1) => new SGD([{ params: new Parameter([1]), name: 'body' }], { lr });
const lrs = (optimizer: SchedulableOptimizer) => optimizer.paramGroups.map(({ lr }) => lr);
const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('state dicts', () => {
  const kinds: [string, (o: SGD) => AnyScheduler, (o: SGD) => AnyScheduler][] = [
    [
      'StepLR',
      (o) => new StepLR(o, { stepSize: 3 }),
      (o) => new StepLR(o, { stepSize: 1, gamma: 0.5 }),
    ],
    [
      'MultiStepLR',
      (o) => new MultiStepLR(o, { milestones: [2, 5, 9] }),
      (o) => new MultiStepLR(o, { milestones: [1] }),
    ],
    [
      'ExponentialLR',
      (o) => new ExponentialLR(o, { gamma: 0.1 }),
      (o) => new ExponentialLR(o, { gamma: 0.01 }),
    ],
    [
      'CosineAnnealingLR',
      (o) => new CosineAnnealingLR(o, { TMax: 10, etaMin: 1e-10 }),
      (o) => new CosineAnnealingLR(o, { TMax: 5 }),
    ],
    [
      'CyclicLR',
      (o) => new CyclicLR(o, { baseLr: 1, maxLr: 5, mode: 'triangular2', stepSizeUp: 2 }),
      (o) => new CyclicLR(o, { baseLr: 1, maxLr: 5 }),
    ],
    [
      'OneCycleLR',
      (o) => new OneCycleLR(o, { maxLr: 1, totalSteps: 30 }),
      (o) => new OneCycleLR(o, { maxLr: 2, epochs: 1, stepsPerEpoch: 9 }),
    ],
    [
      'SWALR',
      (o) => new SWALR(o, { swaLr: 0.01 }),
      (o) => new SWALR(o, { swaLr: 0.5, annealStrategy: 'linear' }),
    ],
  ];

  test.each(kinds)('%s: hyperparameters come from the state', (_, make, makeOther) => {
    const optimizer = sgd();
    const scheduler = make(optimizer);
    for (let i = 0; i < 9; i++) scheduler.step();
    const resumed = sgd();
    const copy = makeOther(resumed);
    copy.loadStateDict(json(scheduler.stateDict()));
    expect({ ...copy.options }).toEqual({ ...scheduler.options });
    for (let i = 0; i < 9; i++) {
      scheduler.step();
      copy.step();
      expect(lrs(resumed)).toEqual(lrs(optimizer));
    }
  });

  test('functions are not saved, and the state says so', () => {
    const optimizer = sgd();
    const state = json(new LambdaLR(optimizer, { lrLambda: (t) => 1 / (t + 1) }).stateDict());
    expect(state.options).toEqual({ lrLambda: null });
    expect(state.notSaved).toEqual(['lrLambda']);
    const list = new LambdaLR(sgd(), { lrLambda: [(t) => 1 / (t + 1)] });
    expect(list.stateDict().options).toEqual({ lrLambda: [null] });
    list.loadStateDict(state);

    const cycle = { baseLr: 0.1, maxLr: 1, cycleMomentum: false };
    const scaled = new CyclicLR(sgd(), { ...cycle, scaleFn: (x) => 1 / x });
    expect(scaled.stateDict().notSaved).toEqual(['scaleFn']);
    const plain = new CyclicLR(sgd(), cycle);
    expect(plain.stateDict().notSaved).toBeUndefined();
    expect(() => plain.loadStateDict(scaled.stateDict())).toThrow(
      /Expected scaleFn to be given .* functions are not saved/,
    );
  });

  test('a wrong state is refused before anything has changed', () => {
    const optimizer = sgd();
    const parts = (of: SGD) => [
      new LinearLR(of, { totalIters: 3 }),
      new CosineAnnealingWarmRestarts(of, { T0: 4 }),
    ];
    const scheduler = new SequentialLR(optimizer, {
      schedulers: parts(optimizer),
      milestones: [3],
    });
    for (let i = 0; i < 5; i++) scheduler.step();
    const good = scheduler.stateDict();
    const before = JSON.stringify([good, lrs(optimizer)]);
    const [first, second] = good.schedulers!;
    const chain = new ChainedScheduler(parts(sgd())).stateDict();
    for (const [bad, message] of [
      [null, /the state of a SequentialLR but received null/],
      [chain, /the state of a SequentialLR but received 'ChainedScheduler'/],
      [{ ...good, schedulers: [first] }, /states of 2 schedulers/],
      [{ ...good, schedulers: [first, first] }, /a CosineAnnealingWarmRestarts but .* 'LinearLR'/],
      [{ ...good, schedulers: [first, { ...second, TCur: 'x' }] }, /TCur .* as a number/],
      [{ ...good, schedulers: [first, { ...second, options: { T0: 0 } }] }, /positive integer T_0/],
      [{ ...good, lr: [-1] }, /Invalid learning rate/],
      [{ ...good, lastLr: [Number.NaN] }, /list of numbers/],
      [{ ...good, lastEpoch: null }, /lastEpoch/],
      [{ ...good, baseLrs: [1, 2] }, /different number of parameter groups/],
      [{ ...good, options: { milestones: [1, 2] } }, /one more than the number of milestone/],
    ] as const) {
      expect(() => scheduler.loadStateDict(bad as never), String(message)).toThrow(message);
      expect([scheduler.stateDict(), lrs(optimizer)], String(message)).toEqual(JSON.parse(before));
    }
    expect(good).toEqual(json(good));
  });

  test('making a scheduler and loading its state leave a loaded lr as it was, in either order', () => {
    const first = sgd();
    const scheduler = new LinearLR(first, { totalIters: 10 });
    for (let i = 0; i < 4; i++) scheduler.step();
    first.paramGroups[0]!.lr *= 0.5; // the user's own edit is part of what was saved
    const loaded = first.paramGroups[0]!.lr;
    const state = json(scheduler.stateDict());

    const late = sgd(loaded);
    new LinearLR(late, { totalIters: 10 }).loadStateDict(state);
    expect(lrs(late)).toEqual([loaded]);

    const early = sgd();
    const resumed = new LinearLR(early, { totalIters: 10 });
    early.paramGroups[0]!.lr = loaded;
    resumed.loadStateDict(state);
    expect(lrs(early)).toEqual([loaded]);
    expect(resumed.baseLrs).toEqual([0.1]);
  });

  const resumable: [string, (o: SGD, lastEpoch: number) => AnyScheduler][] = [
    ['StepLR', (o, lastEpoch) => new StepLR(o, { stepSize: 2, lastEpoch, initialLr: 0.1 })],
    ['LinearLR', (o, lastEpoch) => new LinearLR(o, { totalIters: 9, lastEpoch, initialLr: 0.1 })],
    [
      'LambdaLR',
      (o, lastEpoch) => new LambdaLR(o, { lrLambda: (t) => 0.9 ** t, lastEpoch, initialLr: 0.1 }),
    ],
    [
      'CosineAnnealingLR',
      (o, lastEpoch) => new CosineAnnealingLR(o, { TMax: 3, lastEpoch, initialLr: 0.1 }),
    ],
    [
      'CosineAnnealingWarmRestarts',
      (o, lastEpoch) =>
        new CosineAnnealingWarmRestarts(o, { T0: 2, TMult: 2, lastEpoch, initialLr: 0.1 }),
    ],
    [
      'CyclicLR',
      (o, lastEpoch) =>
        new CyclicLR(o, {
          baseLr: 0.1,
          maxLr: 1,
          stepSizeUp: 3,
          cycleMomentum: false,
          lastEpoch,
          initialLr: 0.1,
        }),
    ],
    [
      'MultiStepLR',
      (o, lastEpoch) => new MultiStepLR(o, { milestones: [3, 7], lastEpoch, initialLr: 0.1 }),
    ],
    [
      'OneCycleLR',
      (o, lastEpoch) =>
        new OneCycleLR(o, {
          maxLr: 1,
          totalSteps: 30,
          cycleMomentum: false,
          lastEpoch,
          ...(lastEpoch >= 0 && { initialLr: 0.04 }),
        }),
    ],
  ];

  test.each(resumable)('%s: lastEpoch alone steps on from the loaded lr', (_, make) => {
    const whole = sgd();
    const scheduler = make(whole, -1);
    for (let i = 0; i < 6; i++) scheduler.step();
    const resumed = sgd(whole.paramGroups[0]!.lr);
    const second = make(resumed, 6);
    scheduler.step();
    expect(lrs(resumed)[0]).toBeCloseTo(lrs(whole)[0]!, 14);
    expect(second.getLastLr()).toEqual(lrs(resumed));
    expect(second.lastEpoch).toBe(scheduler.lastEpoch);
    for (let i = 0; i < 9; i++) {
      scheduler.step();
      second.step();
      expect(lrs(resumed)[0]).toBeCloseTo(lrs(whole)[0]!, 14);
    }
  });

  test('an lr that was edited is stepped from too, as in torch', () => {
    const optimizer = sgd(0.037);
    new ExponentialLR(optimizer, { gamma: 0.9, lastEpoch: 5, initialLr: 0.1 });
    expect(lrs(optimizer)).toEqual([0.037 * 0.9]);
  });

  test('SWALR begins its way anew, as in torch', () => {
    const optimizer = sgd(0.05);
    const scheduler = new SWALR(optimizer, {
      swaLr: 0.01,
      annealEpochs: 2,
      annealStrategy: 'linear',
      lastEpoch: 30,
      initialLr: 0.1,
    });
    expect(lrs(optimizer)).toEqual([0.05]);
    scheduler.step();
    expect(lrs(optimizer)[0]).toBeCloseTo(0.03, 14);
  });

  test('a chain takes its epoch from its schedulers', () => {
    const optimizer = sgd(0.05);
    const given = { lastEpoch: 4, initialLr: 0.1 };
    const chain = new ChainedScheduler([
      new ExponentialLR(optimizer, { gamma: 0.5, ...given }),
      new StepLR(optimizer, { stepSize: 5, ...given }),
    ]);
    expect(chain.lastEpoch).toBe(5);
    expect(lrs(optimizer)).toEqual([0.05 * 0.5 * 0.1]);
    expect(() => new ChainedScheduler(chain.schedulers, { lastEpoch: 4 } as object)).toThrow(
      /Unknown option 'lastEpoch' of ChainedScheduler/,
    );
  });

  test('a sequence goes through what is over again, wherever it was cut', () => {
    const make = (of: SGD, given: { lastEpoch?: number; initialLr?: number }) => {
      const { initialLr: _, ...lastEpoch } = given;
      const schedulers = [
        new LinearLR(of, { totalIters: 5, ...given }),
        new CosineAnnealingLR(of, { TMax: 10, ...given }),
        new CosineAnnealingWarmRestarts(of, { T0: 4, TMult: 2, ...given }),
      ];
      return new SequentialLR(of, { schedulers, milestones: [5, 12], ...lastEpoch });
    };
    for (let cut = 0; cut < 30; cut++) {
      const whole = sgd();
      const scheduler = make(whole, {});
      for (let i = 0; i < cut; i++) scheduler.step();
      const resumed = sgd(lrs(whole)[0]);
      const second = make(resumed, { lastEpoch: cut, initialLr: 0.1 });
      for (let i = 0; i < 20; i++) {
        scheduler.step();
        expect(lrs(resumed)).toEqual(lrs(whole));
        second.step();
      }
    }
  });

  test('a sequence that has come to a plateau needs its state', () => {
    const optimizer = sgd();
    const schedulers = [new LinearLR(optimizer), new ReduceLROnPlateau(optimizer)];
    const make = (lastEpoch: number) =>
      new SequentialLR(optimizer, { schedulers, milestones: [2], lastEpoch });
    expect(make(1).lastEpoch).toBe(2);
    expect(() => make(3)).toThrow(/Expected the metric of ReduceLROnPlateau/);
  });
});
