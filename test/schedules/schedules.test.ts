/** Plain schedules: values at steps, without memory, and their checks. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cosine,
  cycle,
  exponential,
  inverseSqrt,
  join,
  linear,
  oneCycle,
  piecewise,
  polynomial,
  type ScheduleFunction,
  warmup,
  warmupStableDecay,
} from '../../lib/index.ts';
import { play, SCENARIOS, VALUES } from '../lr-scheduler/scenarios.ts';
import { composition } from './arbitrary.ts';

const close = (at: ScheduleFunction, points: readonly (readonly [number, number])[]) => {
  for (const [step, value] of points) expect(at(step), `at ${step}`).toBeCloseTo(value, 12);
};

describe('values', () => {
  test('linear', () => {
    close(linear({ from: 2, to: 1, steps: 4 }), [
      [0, 2],
      [1, 1.75],
      [2.5, 1.375],
      [4, 1],
      [9, 1],
    ]);
    expect(linear({ from: 0.1, to: 0.3, steps: 3 })(3)).toBe(0.3);
  });

  test('cosine', () => {
    close(cosine({ from: 3, to: 1, steps: 6 }), [
      [0, 3],
      [2, 2.5],
      [3, 2],
      [4, 1.5],
      [6, 1],
      [7, 1],
    ]);
    close(cosine({ steps: 8, cycles: 1 }), [
      [0, 1],
      [4, 0],
      [8, 1],
      [9, 1],
    ]);
  });

  test('polynomial', () => {
    close(polynomial({ from: 1, to: 0.5, steps: 4, power: 2 }), [
      [0, 1],
      [2, 0.625],
      [4, 0.5],
      [5, 0.5],
    ]);
  });

  test('exponential', () => {
    close(exponential({ from: 8, gamma: 0.5 }), [
      [0, 8],
      [3, 1],
      [0.5, 8 * Math.SQRT1_2],
    ]);
    close(exponential({ gamma: 0.5, steps: 10, staircase: true }), [
      [9.9, 1],
      [10, 0.5],
      [29, 0.25],
    ]);
    close(exponential({ gamma: 0.5, to: 0.2 }), [
      [2, 0.25],
      [3, 0.2],
    ]);
    close(exponential({ from: 0.1, gamma: 2, to: 1 }), [
      [3, 0.8],
      [4, 1],
    ]);
  });

  test('piecewise', () => {
    const points = [
      [10, 1],
      [20, 0.5],
      [40, 2],
    ] as const;
    close(piecewise(points), [
      [0, 1],
      [10, 1],
      [19, 1],
      [20, 0.5],
      [39, 0.5],
      [40, 2],
      [99, 2],
    ]);
    close(piecewise(points, { interpolate: 'linear' }), [
      [0, 1],
      [15, 0.75],
      [30, 1.25],
      [41, 2],
    ]);
    close(piecewise(points, { interpolate: 'cosine' }), [
      [15, 0.75],
      [25, 0.5 + 1.5 * (1 - (1 + Math.SQRT1_2) / 2)],
    ]);
  });

  test('inverseSqrt', () => {
    close(inverseSqrt({ from: 2, timescale: 100 }), [
      [0, 2],
      [300, 1],
      [9900, 0.2],
    ]);
  });

  test('warmup', () => {
    const next = linear({ from: 1, to: 0, steps: 10 });
    close(warmup(4, next), [
      [0, 0],
      [1, 0.25],
      [4, 1],
      [9, 0.5],
      [14, 0],
    ]);
    close(warmup({ steps: 4, from: 0.5 }, next), [
      [0, 0.5],
      [2, 0.75],
      [4, 1],
    ]);
    close(warmup({ steps: 4, shape: 'cosine' }, next), [
      [1, (1 - Math.SQRT1_2) / 2],
      [2, 0.5],
    ]);
    close(warmup({ steps: 4, shape: '1-sqrt' }, next), [
      [3, 0.5],
      [4, 1],
    ]);
    close(warmup(0, next), [[0, 1]]);
  });

  test('warmupStableDecay', () => {
    const lengths = { warmupSteps: 4, stableSteps: 10, decaySteps: 6 };
    close(warmupStableDecay(lengths), [
      [0, 0],
      [2, 0.5],
      [4, 1],
      [14, 1],
      [17, 0.5],
      [20, 0],
      [30, 0],
    ]);
    const held = warmupStableDecay({ ...lengths, peak: 2, from: 1, to: 0.5, decayShape: '1-sqrt' });
    close(held, [
      [0, 1],
      [2, 1.5],
      [10, 2],
      [15.5, 1.25],
      [20, 0.5],
    ]);
  });

  test('join', () => {
    const parts = [linear({ from: 0, to: 1, steps: 4 }), () => 5, (step: number) => step];
    close(join(parts, [4, 6]), [
      [0, 0],
      [3, 0.75],
      [4, 5],
      [6, 0],
      [7.5, 1.5],
    ]);
  });

  test('cycles that become shorter, until one would be shorter than a step', () => {
    const at = cycle(linear({ steps: 8 }), { steps: 8, mult: 0.5, gamma: 0.1 });
    close(at, [
      [7, 0.125],
      [8, 0.1], // a tenth of it, of 4 steps
      [11, 0.025],
      [12, 0.01], // 2
      [13, 0.005],
      [14, 0.001], // 1
      [15, 0],
      [16, 0],
    ]);
    expect(at(1e12)).toBe(0);
    const up = cycle(linear({ from: 0, to: 1, steps: 4 }), { steps: 4, mult: 0.9, gamma: 0.5 });
    expect(up(1e9)).toBe(0.5 ** 13); // 4 * 0.9 ** 13 is the last one over 1
    expect(cycle(() => 3, { steps: 0.25, mult: 0.5 })(7)).toBe(3);
  });

  test('cycle, and the cycles of CosineAnnealingWarmRestarts', () => {
    close(cycle(linear({ steps: 4 }), { steps: 4, gamma: 0.5 }), [
      [3, 0.25],
      [4, 0.5],
      [6, 0.25],
      [8, 0.25],
    ]);
    const name = 'CosineAnnealingWarmRestarts, 10,000 steps';
    const rows = [...play(SCENARIOS.find((scenario) => scenario.name === name)!)];
    const wave = cosine({ from: 0.05, to: 1e-4, steps: 13 });
    const at = cycle(wave, { steps: 13, mult: 2 });
    rows.forEach((row, step) => {
      expect(Math.abs(at(step) - row[0]![0]) / row[0]![0]).toBeLessThan(1e-11);
    });
  });

  test('oneCycle is what torch printed for OneCycleLR', () => {
    const at = oneCycle({ max: 0.1, totalSteps: 10_000, pctStart: 0.23 });
    const rows = VALUES['OneCycleLR, 10,000 steps']!;
    for (let step = 0; step < 200; step++) {
      expect(Math.abs(at(step) / rows[step]![0]![0] - 1)).toBeLessThan(1e-12);
    }
    const three = oneCycle({ max: 0.1, totalSteps: 61, threePhase: true, pctStart: 0.4 });
    VALUES['OneCycleLR, three phases']!.forEach((row, step) => {
      expect(Math.abs(three(step) / row[0]![0] - 1)).toBeLessThan(1e-12);
    });
    expect(at(20_000)).toBe(at(9_999));
    expect(oneCycle({ totalSteps: 1 })(0)).toBeCloseTo(1 / 25 / 1e4, 15);
  });
});

describe('without memory', () => {
  test('any composition gives the same value at the same step, in any order of asking', () => {
    fc.assert(
      fc.property(
        composition,
        fc.array(fc.nat(200), { minLength: 2, maxLength: 20 }),
        (at, asked) => {
          const first = asked.map(at);
          expect([...asked].reverse().map(at).reverse()).toEqual(first);
          expect(first.every(Number.isFinite)).toBe(true);
        },
      ),
    );
  });
});

describe('checks', () => {
  test.each([
    [
      () => linear({} as never),
      'steps of linear() to be a finite number > 0 but received undefined',
    ],
    [() => linear({ steps: 0 }), 'steps of linear() to be a finite number > 0 but received 0'],
    [() => cosine({ step: 3 } as never), "Unknown option 'step' of cosine(); did you mean steps?"],
    [() => cosine(100 as never), 'the options of cosine() as an object'],
    [() => exponential({ gamma: 0 }), 'gamma of exponential()'],
    [() => piecewise([]), 'the points of piecewise()'],
    [
      () =>
        piecewise([
          [0, 1],
          [0, 2],
        ]),
      'the step of point 1 of piecewise() to be greater',
    ],
    [() => piecewise([[0, 'x' as never]]), 'point 0 of piecewise() to be a finite number'],
    [() => warmup(-1, linear({ steps: 1 })), 'steps of warmup()'],
    [() => warmup(1, 3 as never), 'next of warmup() to be a function but received 3'],
    [() => join([linear({ steps: 1 })], [3]), '0 milestones of join() for 1 schedules'],
    [() => join([() => 1, () => 2, () => 3], [5, 3]), 'milestones of join() to increase'],
    [() => cycle(() => 1, { steps: 1, mult: 0 }), 'mult of cycle() to be a finite number > 0'],
    [() => oneCycle({ totalSteps: 1.5 }), 'totalSteps of oneCycle()'],
    [() => warmupStableDecay({ stableSteps: 1 } as never), 'decaySteps of warmupStableDecay()'],
    [() => linear({ steps: 3 })(-1), 'Expected a step to be a finite number >= 0 but received -1'],
    [() => linear({ steps: 3 })('1' as never), "but received '1'"],
  ])('%s', (call, message) => {
    expect(call).toThrow(expect.objectContaining({ message: expect.stringContaining(message) }));
    expect(call).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_/) }));
  });
});
