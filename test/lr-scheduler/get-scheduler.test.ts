/** getScheduler: factors as Hugging Face's formulas give them, written out here once more. */

import { describe, expect, test } from 'vitest';
import { getScheduler, LambdaLR, SCHEDULER_NAMES, SGD } from '../../lib/index.ts';

const W = 100;
const T = 1000;
const { cos, max, PI, sqrt } = Math;

const rise = (t: number) => t / W;
const part = (t: number) => (t - W) / (T - W);

/** [name, options, factor after the warm-up, factor on the way up if it is not t / W] */
const FORMULAS = [
  ['linear', {}, (t: number) => max(0, (T - t) / (T - W))],
  ['cosine', {}, (t: number) => 0.5 * (1 + cos(PI * part(t)))],
  ['cosine', { cycles: 1.5 }, (t: number) => 0.5 * (1 + cos(PI * 3 * part(t)))],
  [
    'cosine_with_restarts',
    { cycles: 3 },
    (t: number) => (t >= T ? 0 : 0.5 * (1 + cos(PI * ((3 * part(t)) % 1)))),
  ],
  [
    'polynomial',
    { power: 2, lrEnd: 0.01 },
    (t: number) => ((0.5 - 0.01) * (1 - part(t)) ** 2 + 0.01) / 0.5,
  ],
  ['polynomial', {}, (t: number) => ((0.5 - 1e-7) * (1 - part(t)) + 1e-7) / 0.5],
  ['constant_with_warmup', {}, () => 1],
  ['inverse_sqrt', {}, (t: number) => 1 / sqrt(t / W)],
  ['inverse_sqrt', { timescale: 400 }, (t: number) => 1 / sqrt((t + 400 - W) / 400)],
  ['cosine_with_min_lr', { minLr: 0.05 }, (t: number) => 0.5 * (1 + cos(PI * part(t))) * 0.9 + 0.1],
  [
    'cosine_with_min_lr',
    { minLrRate: 0.3 },
    (t: number) => 0.5 * (1 + cos(PI * part(t))) * 0.7 + 0.3,
  ],
  [
    'warmup_stable_decay',
    { decaySteps: 200 },
    (t: number) => (t < 800 ? 1 : 0.5 * (1 + cos((PI * (t - 800)) / 200))),
  ],
  [
    'warmup_stable_decay',
    { decaySteps: 300, stableSteps: 100, decayType: 'linear' },
    (t: number) => (t < 200 ? 1 : max(0, 1 - (t - 200) / 300)),
  ],
  [
    'warmup_stable_decay',
    { decaySteps: 200, decayType: '1-sqrt', minLrRatio: 0.1, warmupType: 'cosine' },
    (t: number) => (t < 800 ? 1 : (1 - sqrt((t - 800) / 200)) * 0.9 + 0.1),
    (t: number) => 0.5 * (1 - cos((PI * t) / W)) * 0.9 + 0.1,
  ],
  [
    'warmup_stable_decay',
    { decaySteps: 200, warmupType: '1-sqrt' },
    (t: number) => (t < 800 ? 1 : 0.5 * (1 + cos((PI * (t - 800)) / 200))),
    (t: number) => 1 - sqrt(1 - t / W),
  ],
] as const;

describe('every step of every name', () => {
  test.each(FORMULAS)('%s %j', (name, options, after, before: (t: number) => number = rise) => {
    const optimizer = new SGD([{ params: [] }, { params: [], lr: 0.2 }], { lr: 0.5 });
    const steps =
      name === 'constant_with_warmup' || name === 'inverse_sqrt' ? {} : { totalSteps: T };
    const scheduler = getScheduler(name, optimizer, { warmupSteps: W, ...steps, ...options });
    expect(scheduler).toBeInstanceOf(LambdaLR);
    for (let t = 0; t <= T; t++) {
      const expected = t < W ? before(t) : after(t);
      const [first, second] = optimizer.paramGroups.map(({ lr }) => lr);
      expect(Math.abs(first! - 0.5 * expected), `at ${t}`).toBeLessThanOrEqual(1e-12 * 0.5);
      expect(second).toBeCloseTo(0.2 * expected, 12);
      scheduler.step();
    }
  });

  test('constant', () => {
    const optimizer = new SGD([{ params: [] }], { lr: 0.5 });
    const scheduler = getScheduler('constant', optimizer);
    scheduler.step();
    expect(optimizer.paramGroups[0]!.lr).toBe(0.5);
  });

  test('after the last step the lr stays', () => {
    const optimizer = new SGD([{ params: [] }], { lr: 0.5 });
    const scheduler = getScheduler('cosine', optimizer, { warmupSteps: 1, totalSteps: 4 });
    for (let i = 0; i < 9; i++) scheduler.step();
    expect(optimizer.paramGroups[0]!.lr).toBe(0);
  });

  test.each([
    ['linear', {}, 0],
    ['polynomial', { lrEnd: 0.1 }, 0.1],
  ] as const)('%s whose warm-up takes the whole run is at its end then', (name, options, end) => {
    for (const totalSteps of [1, 3, 4]) {
      const optimizer = new SGD([{ params: [] }], { lr: 0.5 });
      const scheduler = getScheduler(name, optimizer, { warmupSteps: 4, totalSteps, ...options });
      const seen = Array.from({ length: 7 }, () => {
        const { lr } = optimizer.paramGroups[0]!;
        scheduler.step();
        return lr;
      });
      expect(seen).toEqual([0, 0.125, 0.25, 0.375, end, end, end]);
    }
  });

  test('all names are covered', () => {
    const named = new Set<string>(FORMULAS.map(([name]) => name)).add('constant');
    expect([...named].sort()).toEqual([...SCHEDULER_NAMES].sort());
  });
});

describe('checks', () => {
  const both = { warmupSteps: 1, totalSteps: 9 };
  test.each([
    ['cosin', both, 'ERR_INVALID_ARGUMENT', "did you mean 'cosine'?"],
    ['linear', null, 'ERR_INVALID_OPTION', "the options of getScheduler('linear') as an object"],
    ['linear', 9, 'ERR_INVALID_OPTION', "the options of getScheduler('linear') as an object"],
    ['toString', both, 'ERR_INVALID_ARGUMENT', 'Expected the name of a schedule'],
    [
      'cosine',
      { totalSteps: 9 },
      'ERR_INVALID_OPTION',
      'cosine requires `num_warmup_steps`, please provide that argument',
    ],
    [
      'linear',
      { warmupSteps: 9 },
      'ERR_INVALID_OPTION',
      'linear requires `num_training_steps`, please provide that argument',
    ],
    [
      'linear',
      { ...both, power: 2 },
      'ERR_UNKNOWN_OPTION',
      "Unknown option 'power' of getScheduler('linear')",
    ],
    [
      'polynomial',
      { ...both, lrEnd: 1 },
      'ERR_INVALID_OPTION',
      'lr_end (1) must be smaller than initial lr (0.5)',
    ],
    ['cosine_with_min_lr', both, 'ERR_INVALID_OPTION', 'min_lr or min_lr_rate should be set'],
    [
      'cosine_with_min_lr',
      { ...both, minLr: 0, minLrRate: 0 },
      'ERR_INVALID_OPTION',
      'Only one of min_lr or min_lr_rate should be set',
    ],
    ['warmup_stable_decay', both, 'ERR_INVALID_OPTION', 'decaySteps of warmup_stable_decay'],
    [
      'warmup_stable_decay',
      { warmupSteps: 1, decaySteps: 3 },
      'ERR_INVALID_OPTION',
      'Either num_training_steps or num_stable_steps must be specified',
    ],
    [
      'warmup_stable_decay',
      { ...both, decaySteps: 99 },
      'ERR_INVALID_OPTION',
      'stableSteps of warmupStableDecay()',
    ],
  ])('%s %j', (name, options, code, phrase) => {
    const optimizer = new SGD([{ params: [] }], { lr: 0.5 });
    const refused = { code, message: expect.stringContaining(phrase) };
    expect(() => getScheduler(name as never, optimizer, options as object)).toThrow(
      expect.objectContaining(refused),
    );
    expect(optimizer.paramGroups[0]!.lr).toBe(0.5);
  });
});
