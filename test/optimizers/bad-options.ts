/** Option values that optimizers must refuse, with what the error must say. */

/** An option value that must be refused, and what the error must say. */
export interface BadOption {
  readonly options: Record<string, unknown>;
  readonly message: string;
  readonly code?: string;
}

const badLr: BadOption[] = [-1, Number.NaN, Number.POSITIVE_INFINITY, '0.1', null, 1e39].map(
  (lr) => ({
    options: { lr },
    message: 'Invalid learning rate',
  }),
);

const misspelt = (...pairs: [key: string, message: string][]): BadOption[] =>
  pairs.map(([key, message]) => ({
    options: { [key]: 0.1 },
    message,
    code: 'ERR_UNKNOWN_OPTION',
  }));

export const badDecay: BadOption[] = [
  ...[-1, Number.NaN, Number.POSITIVE_INFINITY].map((weightDecay) => ({
    options: { weightDecay },
    message: 'Invalid weight_decay value',
  })),
  ...misspelt(
    ['weight_decay', 'did you mean weightDecay?'],
    ['wieghtDecay', 'did you mean weightDecay?'],
  ),
];

export const badFlag = (key: string): BadOption[] =>
  [1, 0, 'yes', null].map((value) => ({ options: { [key]: value }, message: `Invalid ${key}` }));

/** What an option of any finite number refuses. */
export const badNumber = (key: string): BadOption[] =>
  [Number.NaN, Number.NEGATIVE_INFINITY, '1', null].map((value) => ({
    options: { [key]: value },
    message: `Invalid ${key} value`,
  }));

// 1e-46 is 0 in float32, where a zero gradient would then give NaN.
export const badEps: BadOption[] = [-1e-30, Number.POSITIVE_INFINITY, 1e-46, 5e-324].map((eps) => ({
  options: { eps },
  message: `Invalid epsilon value: ${eps}`,
}));

export const badBetas: BadOption[] = [
  { options: { betas: [1.0, 0.0] }, message: 'Invalid beta parameter at index 0: 1.' },
  { options: { betas: [0.0, 1.0] }, message: 'Invalid beta parameter at index 1: 1.' },
  { options: { betas: [-0.1, 0.9] }, message: 'Invalid beta parameter at index 0: -0.1' },
  { options: { betas: [0.9, Number.NaN] }, message: 'Invalid beta parameter at index 1: NaN' },
  { options: { betas: [0.9] }, message: 'an array of two numbers' },
  { options: { betas: 0.9 }, message: 'an array of two numbers' },
  { options: { betas: ['0.9', 0.999] }, message: "Invalid beta parameter at index 0: '0.9'" },
];

/** What three decay rates refuse. */
export const badTriple: BadOption[] = [
  { options: { betas: [1, 0, 0] }, message: 'Invalid beta parameter at index 0: 1' },
  { options: { betas: [0, 0, 1] }, message: 'Invalid beta parameter at index 2: 1' },
  { options: { betas: [0, -1, 0.5] }, message: 'Invalid beta parameter at index 1: -1' },
  { options: { betas: [0.9, 0.99] }, message: 'an array of three numbers' },
  { options: { betas: 0.9 }, message: 'an array of three numbers' },
];

/** What every optimizer refuses. */
export const badEverywhere = [
  ...badLr,
  ...badFlag('maximize'),
  ...misspelt(['maximise', 'did you mean maximize?'], ['foo', "Unknown option 'foo'"]),
];

/** What Adam and its kin refuse. */
export const badMoments = [...badEverywhere, ...badDecay, ...badEps, ...badBetas];

/** A number below the least allowed, with torch's phrase. */
export const below = (key: string, value: number, phrase: string): BadOption => ({
  options: { [key]: value },
  message: `Invalid ${phrase}: ${value}`,
});
