/** The table of optimizers: one row each. Every behaviour is tested over all rows. */

import { Adam, AdamW, type Optimizer, type ParameterLike, SGD } from '../lib/index.ts';

/** An option value that must be refused, and what the error must say. */
export interface BadOption {
  readonly options: Record<string, unknown>;
  readonly message: string;
  readonly code?: string;
}

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

const badLr: BadOption[] = [-1, Number.NaN, Number.POSITIVE_INFINITY, '0.1', null, 1e39].map(
  (lr) => ({
    options: { lr },
    message: 'Invalid learning rate',
  }),
);

const badDecay: BadOption[] = [-1, Number.NaN, Number.POSITIVE_INFINITY].map((weightDecay) => ({
  options: { weightDecay },
  message: 'Invalid weight_decay value',
}));

const badFlag = (key: string): BadOption[] =>
  [1, 0, 'yes', null].map((value) => ({ options: { [key]: value }, message: `Invalid ${key}` }));

const misspelt: BadOption[] = [
  ['weight_decay', 'did you mean weightDecay?'],
  ['wieghtDecay', 'did you mean weightDecay?'],
  ['maximise', 'did you mean maximize?'],
  ['foo', "Unknown option 'foo'"],
].map(([key, message]) => ({
  options: { [key!]: 0.1 },
  message: message!,
  code: 'ERR_UNKNOWN_OPTION',
}));

const badAdam: BadOption[] = [
  ...badLr,
  ...badDecay,
  ...badFlag('amsgrad'),
  ...badFlag('maximize'),
  ...misspelt,
  { options: { betas: [1.0, 0.0] }, message: 'Invalid beta parameter at index 0: 1.' },
  { options: { betas: [0.0, 1.0] }, message: 'Invalid beta parameter at index 1: 1.' },
  { options: { betas: [-0.1, 0.9] }, message: 'Invalid beta parameter at index 0: -0.1' },
  { options: { betas: [0.9, Number.NaN] }, message: 'Invalid beta parameter at index 1: NaN' },
  { options: { betas: [0.9] }, message: 'an array of two numbers' },
  { options: { betas: 0.9 }, message: 'an array of two numbers' },
  { options: { betas: ['0.9', 0.999] }, message: "Invalid beta parameter at index 0: '0.9'" },
  { options: { eps: -1e-30 }, message: 'Invalid epsilon value: -1e-30' },
  { options: { eps: Number.POSITIVE_INFINITY }, message: 'Invalid epsilon value: Infinity' },
];

const cast = (make: (params: never, options?: object) => unknown) => make as OptimizerCase['make'];

export const optimizerCases: readonly OptimizerCase[] = [
  {
    name: 'SGD',
    make: cast((params: Iterable<ParameterLike>, options) => new SGD(params, options)),
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
      ...badLr,
      ...badDecay,
      ...badFlag('nesterov'),
      ...badFlag('maximize'),
      ...misspelt,
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
    make: cast((params: Iterable<ParameterLike>, options) => new Adam(params, options)),
    defaults: adamDefaults,
    other: adamOther,
    withState: { amsgrad: true },
    stateKeys: ['step', 'expAvg', 'expAvgSq', 'maxExpAvgSq'],
    bad: badAdam,
  },
  {
    name: 'AdamW',
    make: cast((params: Iterable<ParameterLike>, options) => new AdamW(params, options)),
    defaults: { ...adamDefaults, weightDecay: 1e-2 },
    other: adamOther,
    withState: { amsgrad: true },
    stateKeys: ['step', 'expAvg', 'expAvgSq', 'maxExpAvgSq'],
    bad: badAdam,
  },
];
