/** Bad input to schedulers: the code, torch's phrase, and nothing changed. */

import { beforeEach, describe, expect, test } from 'vitest';
import * as gradstep from '../../lib/index.ts';
import {
  ChainedScheduler,
  CyclicLR,
  LambdaLR,
  LinearLR,
  OneCycleLR,
  Parameter,
  SequentialLR,
  SGD,
  StepLR,
} from '../../lib/index.ts';

let optimizer: SGD;

beforeEach(() => {
  optimizer = new SGD(
    [
      { params: [], name: 'body' },
      { params: [], lr: 0.5 },
    ],
    { lr: 0.05 },
  );
});

const snapshot = () => JSON.stringify(optimizer.paramGroups.map((group) => ({ ...group })));

type Kind = new (optimizer: unknown, options?: unknown) => unknown;
const make = (name: string, options?: unknown, of: unknown = optimizer) => {
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: a table of classes
  const Kind = gradstep[name as keyof typeof gradstep] as unknown as Kind;
  return new Kind(of, options);
};

const fn = () => 1;

describe('torch says the same', () => {
  test.each([
    ['LambdaLR', { lrLambda: [fn] }, 'Expected 2 lr_lambdas, but got 1'],
    ['LambdaLR', { lrLambda: 0.95 }, 'lr_lambda should be a function'],
    ['MultiplicativeLR', { lrLambda: 0.95 }, 'lr_lambda should be a function'],
    ['MultiplicativeLR', { lrLambda: [0.9, 0.9] }, 'lr_lambda should be a function'],
    [
      'ConstantLR',
      { factor: 1.1 },
      'Constant multiplicative factor expected to be between 0 and 1.',
    ],
    [
      'LinearLR',
      { startFactor: 0 },
      'Starting multiplicative factor expected to be greater than 0 and less or equal to 1.',
    ],
    ['LinearLR', { startFactor: 1.1 }, 'Starting multiplicative factor expected'],
    [
      'LinearLR',
      { endFactor: -0.1 },
      'Ending multiplicative factor expected to be between 0 and 1.',
    ],
    ['CosineAnnealingWarmRestarts', { T0: 0 }, 'Expected positive integer T_0, but got 0'],
    ['CosineAnnealingWarmRestarts', { T0: 1.5 }, 'Expected positive integer T_0, but got 1.5'],
    ['CosineAnnealingWarmRestarts', { T0: 1, TMult: 0 }, 'Expected integer T_mult >= 1, but got 0'],
    ['CosineAnnealingWarmRestarts', { T0: 1, etaMin: 'x' }, 'Expected float or int eta_min'],
    ['CyclicLR', { baseLr: 0, maxLr: 1, mode: 'CATS' }, 'mode is invalid and scale_fn is None'],
    [
      'CyclicLR',
      { baseLr: [0], maxLr: 1 },
      'base_lr must have the same length as optimizer.param_groups',
    ],
    ['CyclicLR', { baseLr: 0, maxLr: [1, 2, 3] }, 'max_lr must have the same length'],
    [
      'CyclicLR',
      { baseLr: 0, maxLr: 1, baseMomentum: [1] },
      'base_momentum must have the same length',
    ],
    [
      'OneCycleLR',
      { maxLr: 1 },
      'You must define either total_steps OR (epochs AND steps_per_epoch)',
    ],
    ['OneCycleLR', { maxLr: 1, epochs: 3 }, 'You must define either total_steps OR'],
    ['OneCycleLR', { maxLr: 1, totalSteps: 0 }, 'Expected positive integer total_steps, but got 0'],
    [
      'OneCycleLR',
      { maxLr: 1, epochs: -1, stepsPerEpoch: 1 },
      'Expected positive integer epochs, but got -1',
    ],
    [
      'OneCycleLR',
      { maxLr: 1, epochs: 1, stepsPerEpoch: 0.5 },
      'Expected positive integer steps_per_epoch, but got 0.5',
    ],
    [
      'OneCycleLR',
      { maxLr: 1, totalSteps: 9, pctStart: 1.1 },
      'Expected float between 0 and 1 pct_start',
    ],
    [
      'OneCycleLR',
      { maxLr: 1, totalSteps: 9, annealStrategy: 'CATS' },
      "anneal_strategy must be one of 'cos' or 'linear', instead got CATS",
    ],
    ['ReduceLROnPlateau', { factor: 1 }, 'Factor should be < 1.0.'],
    ['ReduceLROnPlateau', { minLr: [0] }, 'expected 2 min_lrs, got 1'],
    ['ReduceLROnPlateau', { mode: 'up' }, 'mode up is unknown!'],
    ['ReduceLROnPlateau', { thresholdMode: 'x' }, 'threshold mode x is unknown!'],
    [
      'SWALR',
      { swaLr: 1, annealStrategy: 'exponential' },
      "anneal_strategy must be one of 'cos' or 'linear'",
    ],
    [
      'SWALR',
      { swaLr: 1, annealEpochs: -1 },
      'anneal_epochs must be equal or greater than 0, got -1',
    ],
    [
      'SWALR',
      { swaLr: 1, annealEpochs: 1.7 },
      'anneal_epochs must be equal or greater than 0, got 1.7',
    ],
    [
      'SWALR',
      { swaLr: [1, 0.1, 0.01] },
      'swa_lr must have the same length as optimizer.param_groups',
    ],
  ])('%s %j', (name, options, phrase) => {
    const before = snapshot();
    const refused = expect.objectContaining({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining(phrase),
    });
    expect(() => make(name, options)).toThrow(refused);
    expect(() => make(name, options)).toThrow(/Expected .* received/);
    expect(snapshot()).toBe(before);
  });

  test('of compositions', () => {
    const other = new SGD([]);
    const step = new StepLR(optimizer, { stepSize: 1 });
    const foreign = new StepLR(other, { stepSize: 1 });
    const sequence = (schedulers: unknown, milestones: unknown) => () =>
      make('SequentialLR', { schedulers, milestones });
    const chain = (schedulers: unknown, options?: object) => () =>
      new ChainedScheduler(schedulers as never, options);
    expect(chain([step], 3 as never)).toThrow(/options of ChainedScheduler as an object .* 3/);
    expect(chain([step], null as never)).toThrow(
      /options of ChainedScheduler as an object .* null/,
    );
    expect(sequence([], [])).toThrow('SequentialLR expects at least one scheduler, but got no');
    expect(chain([])).toThrow('expects at least one scheduler to be chained, but got no scheduler');
    expect(sequence([{}], [])).toThrow('at index 0 should have `optimizer` as its attribute');
    expect(sequence([step, foreign], [1])).toThrow(
      'expects all schedulers to belong to the same optimizer, but got scheduler StepLR at index 1',
    );
    expect(chain([step], { optimizer: other })).toThrow('belong to the same optimizer');
    expect(sequence([step], [1])).toThrow(
      'expects number of schedulers provided to be one more than the number of milestone points, ' +
        'but got number of schedulers 1 and the number of milestones to be equal to 1',
    );
    expect(sequence([step, step, step], [5, 3])).toThrow(/Expected milestones .* increase/);
  });

  test('of optimizers', () => {
    for (const none of [7, {}, { paramGroups: [] }]) {
      expect(() => make('CyclicLR', { baseLr: 0, maxLr: 1 }, none)).toThrow('is not an Optimizer');
    }
    const still = new (class {
      paramGroups = [{ params: [], lr: 1 }];
      defaults = { lr: 1 };
    })();
    expect(() => make('CyclicLR', { baseLr: 0, maxLr: 1 }, still)).toThrow(
      'optimizer must support momentum or beta1 with `cycle_momentum` option enabled',
    );
    expect(() => new StepLR(optimizer, { stepSize: 1, lastEpoch: 1 })).toThrow(
      "param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with " +
        'last_epoch >= 0',
    );
  });
});

describe('and more than torch', () => {
  test.each([
    ['StepLR', 30, 'ERR_INVALID_OPTION', 'as an object, { stepSize, gamma }, but received 30'],
    [
      'StepLR',
      {},
      'ERR_INVALID_OPTION',
      'stepSize of StepLR to be an integer >= 1 but received undefined',
    ],
    ['StepLR', { stepsize: 3 }, 'ERR_UNKNOWN_OPTION', 'did you mean stepSize?'],
    ['StepLR', { stepSize: 3, gamma: Number.NaN }, 'ERR_INVALID_OPTION', 'received NaN'],
    ['StepLR', { stepSize: 3, lastEpoch: -2 }, 'ERR_INVALID_OPTION', 'lastEpoch of StepLR'],
    [
      'StepLR',
      { stepSize: 3, groups: ['tail'] },
      'ERR_INVALID_ARGUMENT',
      "among 'body', 1 but received 'tail'",
    ],
    [
      'StepLR',
      { stepSize: 3, groups: 'body' },
      'ERR_INVALID_ARGUMENT',
      'list of names and indices',
    ],
    [
      'StepLR',
      { stepSize: 3, initialLr: [1] },
      'ERR_INVALID_OPTION',
      'initial_lr must have the same length',
    ],
    ['SequentialLR', { schedulers: [], groups: [0] }, 'ERR_INVALID_ARGUMENT', 'at least one'],
  ])('%s %j', (name, options, code, phrase) => {
    const before = snapshot();
    const refused = { code, message: expect.stringContaining(phrase) };
    expect(() => make(name, options)).toThrow(expect.objectContaining(refused));
    expect(snapshot()).toBe(before);
  });

  test('hyperparameters are checked when they are changed, too', () => {
    const scheduler = new StepLR(optimizer, { stepSize: 1 });
    const { options } = scheduler;
    expect(() => Object.assign(options, { gamma: -1 })).toThrow(/gamma of StepLR/);
    expect(() => Object.assign(options, { gama: 1 })).toThrow(/did you mean gamma/);
    expect(options).toEqual({ stepSize: 1, gamma: 0.1 });
    options.gamma = 0.5;
    scheduler.step();
    expect(optimizer.paramGroups[0]!.lr).toBe(0.025);
    const chain = new ChainedScheduler([scheduler]);
    expect(() => Object.assign(chain.options, { schedulers: [] })).toThrow(
      expect.objectContaining({ code: 'ERR_READ_ONLY' }),
    );
    const parts = { schedulers: [scheduler], milestones: [] };
    const grouped = { ...parts, groups: [0] } as never;
    expect(() => new SequentialLR(optimizer, grouped)).toThrow(/Unknown option 'groups'/);
  });

  test('a step that fails changes no group, no epoch and no other scheduler', () => {
    let bad = false;
    const lrLambda = [() => 0.5, () => (bad ? Number.NaN : 0.5)];
    const step = new StepLR(optimizer, { stepSize: 1 });
    const lambda = new LambdaLR(optimizer, { lrLambda });
    const cyclic = new CyclicLR(optimizer, { baseLr: 0.1, maxLr: 1, stepSizeUp: 3 });
    const inner = new ChainedScheduler([step, cyclic, lambda]);
    const linear = new LinearLR(optimizer);
    const outer = new SequentialLR(optimizer, { schedulers: [linear, inner], milestones: [2] });
    for (let i = 0; i < 4; i++) outer.step();
    const before = [snapshot(), JSON.stringify(outer.stateDict()), outer.getLastLr()];
    bad = true;
    expect(() => outer.step()).toThrow(/Invalid learning rate: NaN/);
    expect([snapshot(), JSON.stringify(outer.stateDict()), outer.getLastLr()]).toEqual(before);
    bad = false;
    outer.step();
    expect(outer.lastEpoch).toBe(5);
  });

  test('a class that fails to be made leaves no base lr behind', () => {
    const one = new SGD([new Parameter([1])], { lr: 0.1 });
    expect(() => new LambdaLR(one, { lrLambda: () => -1 })).toThrow(/Invalid learning rate/);
    expect(one.paramGroups[0]!.lr).toBe(0.1);
    one.paramGroups[0]!.lr = 0.2;
    expect(new LambdaLR(one, { lrLambda: () => 1 }).baseLrs).toEqual([0.2]);
  });

  test('a step that fails forgets the groups that it met', () => {
    let bad = true;
    const chain = new ChainedScheduler([
      new StepLR(optimizer, { stepSize: 9 }),
      new LambdaLR(optimizer, { lrLambda: (t) => (t > 0 && bad ? Number.NaN : 1) }),
    ]);
    optimizer.addParamGroup({ params: [], lr: 0.1 });
    expect(() => chain.step()).toThrow(/Invalid learning rate/);
    optimizer.paramGroups[2]!.lr = 0.4;
    bad = false;
    chain.step();
    expect(chain.baseLrs).toEqual([0.05, 0.5, 0.4]);
  });

  test('only what options and states themselves say counts', () => {
    const [plain, lending] = [0, 1].map(() => new SGD([new Parameter([1])], { lr: 1 }));
    const make = (o: SGD) => {
      const chain = new ChainedScheduler([new StepLR(o, { stepSize: 1 })]);
      const factor = gradstep.schedule(o, { momentum: gradstep.linear({ steps: 4 }) });
      const named = gradstep.getScheduler('constant', o);
      for (const one of [chain, factor, named]) one.step();
      const state = chain.stateDict();
      const { gamma: _, ...rest } = state.schedulers![0]!.options;
      const part = { ...state.schedulers![0]!, options: rest };
      chain.loadStateDict({ ...state, schedulers: [part as typeof state] });
      return [{ ...o.paramGroups[0]! }, chain.lastEpoch, factor.lastStep, named.lastEpoch];
    };
    const shown = (value: unknown) => JSON.stringify(value, (key, v) => (key === 'params' ? 0 : v));
    const before = shown(make(plain!));
    const lent = {
      gamma: 0.5,
      lastEpoch: 7,
      initialLr: 3,
      groups: ['none'],
      from: 9,
      mode: 'multiplicative',
      step: 3,
      optimizer: 1,
      warmupSteps: 4,
      notSaved: ['gamma'],
      momentum: [1],
    };
    for (const [key, value] of Object.entries(lent)) {
      Object.defineProperty(Object.prototype, key, { value, configurable: true, writable: true });
    }
    try {
      expect(shown(make(lending!))).toBe(before);
    } finally {
      for (const key of Object.keys(lent)) Reflect.deleteProperty(Object.prototype, key);
    }
  });

  test('step(epoch) takes a step number', () => {
    const scheduler = new StepLR(optimizer, { stepSize: 1 });
    for (const bad of [-1, Number.NaN, '3', Infinity]) {
      expect(() => scheduler.step(bad as number)).toThrow(/Expected a step/);
    }
    const cycle = new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 9 });
    expect(() => cycle.step(10)).toThrow(/Tried to step 10 times/);
    expect(cycle.lastEpoch).toBe(0);
    expect(() => make('CosineAnnealingWarmRestarts', { T0: 3 })).not.toThrow();
    const restarts = new gradstep.CosineAnnealingWarmRestarts(optimizer, { T0: 3 });
    expect(() => restarts.step(-1)).toThrow('Expected non-negative epoch, but got -1');
  });
});
