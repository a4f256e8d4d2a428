/** The table of optimizers: one row each. Every behaviour is tested over all rows. */

import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  ASGD,
  Lion,
  NAdam,
  type Optimizer,
  RAdam,
  RMSprop,
  Rprop,
  SGD,
} from '../../lib/index.ts';
import {
  type BadOption,
  badBetas,
  badDecay,
  badEps,
  badEverywhere,
  badFlag,
  badMoments,
  badNumber,
  below,
} from './bad-options.ts';

export interface OptimizerCase {
  readonly name: string;
  readonly make: (params: unknown, options?: object) => Optimizer<object, Record<string, unknown>>;
  /** `Object.keys` of a group, without `params`, and torch's defaults. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** A value for each option that differs from the default. */
  readonly other: Readonly<Record<string, unknown>>;
  /** Options that give every kind of state, and the keys of that state. */
  readonly withState: object;
  readonly stateKeys: readonly string[];
  /** Options without decay, under which a zero gradient moves nothing. Default: weightDecay 0. */
  readonly undecayed?: object;
  /** Options under which nothing moves. Default: lr 1e-28. */
  readonly still?: object;
  /** Options that count at a parameter's first step alone. Default: none. */
  readonly onlyAtFirst?: readonly string[];
  readonly bad: readonly BadOption[];
}

const adamDefaults = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
};

const adamOther = {
  lr: 0.5,
  betas: [0.5, 0.25],
  eps: 1e-3,
  weightDecay: 0.1,
  amsgrad: true,
  maximize: true,
};

const making =
  (make: unknown): OptimizerCase['make'] =>
  (params, options) =>
    new (make as new (params: unknown, options?: object) => never)(params, options);

export const optimizerCases: readonly OptimizerCase[] = [
  {
    name: 'SGD',
    make: making(SGD),
    defaults: {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
    },
    other: { lr: 0.5, momentum: 0.9, dampening: 0.1, weightDecay: 0.1, maximize: true },
    withState: { momentum: 0.9 },
    stateKeys: ['momentumBuffer'],
    bad: [
      ...badEverywhere,
      ...badDecay,
      ...badFlag('nesterov'),
      { options: { momentum: -0.5 }, message: 'Invalid momentum value: -0.5' },
      { options: { momentum: Number.NaN }, message: 'Invalid momentum value: NaN' },
      { options: { dampening: Number.POSITIVE_INFINITY }, message: 'Invalid dampening value' },
      ...[
        { nesterov: true },
        { nesterov: true, momentum: 0.9, dampening: 0.1 },
        { nesterov: true, momentum: 0 },
      ].map((options) => ({
        options,
        message: 'Nesterov momentum requires a momentum and zero dampening',
      })),
    ],
  },
  {
    name: 'Adam',
    make: making(Adam),
    defaults: adamDefaults,
    other: adamOther,
    withState: { amsgrad: true },
    stateKeys: ['step', 'expAvg', 'expAvgSq', 'maxExpAvgSq'],
    bad: [...badMoments, ...badFlag('amsgrad')],
  },
  {
    name: 'AdamW',
    make: making(AdamW),
    defaults: { ...adamDefaults, weightDecay: 1e-2 },
    other: adamOther,
    withState: { amsgrad: true },
    stateKeys: ['step', 'expAvg', 'expAvgSq', 'maxExpAvgSq'],
    bad: [...badMoments, ...badFlag('amsgrad')],
  },
  {
    name: 'RMSprop',
    make: making(RMSprop),
    defaults: {
      lr: 1e-2,
      momentum: 0,
      alpha: 0.99,
      eps: 1e-8,
      centered: false,
      weightDecay: 0,
      maximize: false,
    },
    other: {
      lr: 0.5,
      momentum: 0.9,
      alpha: 0.4,
      eps: 1e-3,
      centered: true,
      weightDecay: 0.1,
      maximize: true,
    },
    withState: { momentum: 0.5, centered: true },
    stateKeys: ['step', 'squareAvg', 'momentumBuffer', 'gradAvg'],
    bad: [
      ...badEverywhere,
      ...badDecay,
      ...badEps,
      ...badFlag('centered'),
      below('momentum', -1, 'momentum value'),
      below('alpha', -1, 'alpha value'),
    ],
  },
  {
    name: 'Adagrad',
    make: making(Adagrad),
    defaults: {
      lr: 1e-2,
      lrDecay: 0,
      eps: 1e-10,
      weightDecay: 0,
      initialAccumulatorValue: 0,
      maximize: false,
    },
    other: {
      lr: 0.5,
      lrDecay: 0.5,
      eps: 1e-3,
      weightDecay: 0.1,
      initialAccumulatorValue: 0.1,
      maximize: true,
    },
    withState: {},
    stateKeys: ['step', 'sum'],
    onlyAtFirst: ['initialAccumulatorValue'],
    bad: [
      ...badEverywhere,
      ...badDecay,
      ...badEps,
      below('lrDecay', -0.5, 'lr_decay value'),
      below('initialAccumulatorValue', -1, 'initial_accumulator_value value'),
    ],
  },
  {
    name: 'Adadelta',
    make: making(Adadelta),
    defaults: { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false },
    other: { lr: 0.5, rho: 0.95, eps: 1e-3, weightDecay: 0.1, maximize: true },
    withState: {},
    stateKeys: ['step', 'squareAvg', 'accDelta'],
    bad: [
      ...badEverywhere,
      ...badDecay,
      ...badEps,
      below('rho', 1.1, 'rho value'),
      below('rho', -0.1, 'rho value'),
    ],
  },
  {
    name: 'Adamax',
    make: making(Adamax),
    defaults: { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false },
    other: { lr: 0.5, betas: [0.4, 0.25], eps: 1e-3, weightDecay: 0.1, maximize: true },
    withState: {},
    stateKeys: ['step', 'expAvg', 'expInf'],
    bad: badMoments,
  },
  {
    name: 'NAdam',
    make: making(NAdam),
    defaults: {
      lr: 2e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      momentumDecay: 4e-3,
      decoupledWeightDecay: false,
      maximize: false,
    },
    other: {
      lr: 0.5,
      betas: [0.4, 0.25],
      eps: 1e-3,
      weightDecay: 0.1,
      momentumDecay: 0.3,
      decoupledWeightDecay: true,
      maximize: true,
    },
    withState: { weightDecay: 0.1 },
    stateKeys: ['step', 'muProduct', 'expAvg', 'expAvgSq'],
    bad: [
      ...badMoments,
      ...badFlag('decoupledWeightDecay'),
      below('momentumDecay', -0.2, 'momentum_decay value'),
    ],
  },
  {
    name: 'RAdam',
    make: making(RAdam),
    defaults: {
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      maximize: false,
      decoupledWeightDecay: false,
    },
    other: {
      lr: 0.5,
      betas: [0.4, 0.25],
      eps: 1e-3,
      weightDecay: 0.1,
      maximize: true,
      decoupledWeightDecay: true,
    },
    withState: { weightDecay: 0.1 },
    stateKeys: ['step', 'expAvg', 'expAvgSq'],
    bad: [...badMoments, ...badFlag('decoupledWeightDecay')],
  },
  {
    name: 'Rprop',
    make: making(Rprop),
    defaults: { lr: 1e-2, etas: [0.5, 1.2], stepSizes: [1e-6, 50], maximize: false },
    other: { lr: 0.5, etas: [0.25, 1.5], stepSizes: [0.01, 0.05], maximize: true },
    withState: {},
    stateKeys: ['step', 'prev', 'stepSize'],
    onlyAtFirst: ['lr'],
    undecayed: {},
    still: { lr: 0, stepSizes: [0, 50] },
    bad: [
      ...badEverywhere,
      { options: { etas: [1.0, 0.5] }, message: 'Invalid eta values: 1.0, 0.5.' },
      { options: { etas: [0, 1.2] }, message: 'Invalid eta values: 0.0, 1.2.' },
      { options: { etas: [0.5, 1] }, message: 'Invalid eta values: 0.5, 1.0.' },
      { options: { stepSizes: [2, 1] }, message: 'Invalid step sizes: 2, 1' },
      { options: { stepSizes: [-1, 1] }, message: 'Invalid step sizes: -1' },
    ],
  },
  {
    name: 'ASGD',
    make: making(ASGD),
    defaults: { lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6, weightDecay: 0, maximize: false },
    other: { lr: 0.5, lambd: 0.1, alpha: 0.5, t0: 2, weightDecay: 0.1, maximize: true },
    withState: {},
    stateKeys: ['step', 'eta', 'mu', 'ax'],
    undecayed: { lambd: 0 },
    bad: [...badEverywhere, ...badDecay, ...['lambd', 'alpha', 't0'].flatMap(badNumber)],
  },
  {
    name: 'Lion',
    make: making(Lion),
    defaults: { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false },
    other: { lr: 0.5, betas: [0.4, 0.25], weightDecay: 0.1, maximize: true },
    withState: {},
    stateKeys: ['expAvg'],
    bad: [...badEverywhere, ...badDecay, ...badBetas],
  },
];
