/** What `console.log` shows of schedulers, schedules and scalers. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  ChainedScheduler,
  cosine,
  cycle,
  ExponentialLR,
  exponential,
  GradScaler,
  getScheduler,
  inverseSqrt,
  join,
  LinearLR,
  linear,
  oneCycle,
  Parameter,
  piecewise,
  polynomial,
  ReduceLROnPlateau,
  SequentialLR,
  SGD,
  StepLR,
  schedule,
  warmup,
  warmupStableDecay,
} from '../../lib/index.ts';

const sgd = () => new SGD([new Parameter([1])], { lr: 0.5 });
const shown = (value: unknown) => inspect(value, { breakLength: Infinity, compact: 9 });

describe('a scheduler', () => {
  it('is shown with where it is, and its options', () => {
    const scheduler = new StepLR(sgd(), { stepSize: 3 });
    scheduler.step();
    expect(shown(scheduler)).toBe('StepLR { lastEpoch: 1, lr: [ 0.5 ], stepSize: 3, gamma: 0.1 }');
    expect(shown(scheduler.options)).toBe('{ stepSize: 3, gamma: 0.1 }');
  });

  it('is shown with what else it counts', () => {
    const scheduler = new ReduceLROnPlateau(sgd());
    scheduler.step(0.25);
    expect(shown(scheduler)).toMatch(/eps: 1e-8, best: 0.25, numBadEpochs: 0, cooldownCounter: 0/);
  });

  it('is shown with those inside, as deep as they may be', () => {
    const optimizer = sgd();
    const parts = [new ExponentialLR(optimizer, { gamma: 0.5 })];
    const chain = new ChainedScheduler(parts);
    const part = '[ ExponentialLR { lastEpoch: 0, lr: [ 0.5 ], gamma: 0.5 } ]';
    expect(shown(chain)).toBe(
      `ChainedScheduler { lastEpoch: 0, lr: [ 0.5 ], schedulers: ${part} }`,
    );
    const outer = new SequentialLR(optimizer, {
      schedulers: [new LinearLR(optimizer), chain],
      milestones: [4],
    });
    expect(shown(outer)).toContain('schedulers: [ ExponentialLR { lastEpoch: -1, lr: [ ');
    const outermost = new ChainedScheduler([new ChainedScheduler([outer])]);
    expect(shown(outermost)).toContain('schedulers: [ [LinearLR], [ChainedScheduler] ]');
    expect(inspect({ outer }, { depth: 0 })).toBe('{ outer: [SequentialLR] }');
    expect(inspect(outer, { depth: null, breakLength: Infinity })).toContain('gamma: 0.5');
  });

  it('of options is shown with their schedules', () => {
    const scheduler = schedule(sgd(), { lr: linear({ steps: 4 }), momentum: () => 0.5 });
    expect(shown(scheduler)).toBe(
      'OptionScheduler { lastStep: 0, lr: linear({ from: 1, to: 0, steps: 4 }), ' +
        'momentum: [Function: momentum] }',
    );
  });

  it('by name is shown with its schedule', () => {
    const scheduler = getScheduler('cosine', sgd(), { warmupSteps: 1, totalSteps: 9 });
    expect(shown(scheduler)).toBe(
      "LambdaLR { lastEpoch: 0, lr: [ 0 ], lrLambda: warmup({ steps: 1, from: 0, shape: 'linear' }," +
        ' cosine({ from: 1, to: 0, steps: 8, cycles: 0.5 })) }',
    );
  });
});

describe('a schedule is shown as the call that made it', () => {
  const line = linear({ from: 1, to: 0, steps: 4 });
  it.each([
    [line, 'linear({ from: 1, to: 0, steps: 4 })'],
    [cosine({ steps: 4 }), 'cosine({ from: 1, to: 0, steps: 4, cycles: 0.5 })'],
    [polynomial({ steps: 4 }), 'polynomial({ from: 1, to: 0, steps: 4, power: 1 })'],
    [
      exponential({ gamma: 0.5 }),
      'exponential({ from: 1, gamma: 0.5, steps: 1, staircase: false })',
    ],
    [exponential({ gamma: 0.5, to: 0.1 }), /staircase: false, to: 0.1 \}\)$/],
    [inverseSqrt({ timescale: 4 }), 'inverseSqrt({ from: 1, timescale: 4 })'],
    [
      piecewise([
        [0, 1],
        [3, 2],
      ]),
      "piecewise([ [ 0, 1 ], [ 3, 2 ] ], { interpolate: 'none' })",
    ],
    [oneCycle({ totalSteps: 9 }), /^oneCycle\(\{ max: 1, totalSteps: 9, pctStart: 0.3, /],
    [
      warmup(3, line),
      "warmup({ steps: 3, from: 0, shape: 'linear' }, linear({ from: 1, to: 0, steps: 4 }))",
    ],
    [
      warmupStableDecay({ stableSteps: 3, decaySteps: 4 }),
      /^warmupStableDecay\(\{ peak: 1, .*, warmupShape: 'linear', decayShape: 'cosine' \}\)$/,
    ],
    [join([line, Math.abs], [4]), /^join\(\[ linear\(.*\), \[Function: abs\] \], \[ 4 \]\)$/],
    [cycle(line, { steps: 4 }), /^cycle\(linear\(.*\), \{ steps: 4, mult: 1, gamma: 1 \}\)$/],
  ])('%o', (made, expected) => {
    if (typeof expected === 'string') expect(shown(made)).toBe(expected);
    else expect(shown(made)).toMatch(expected);
    expect(made.name).toBe(shown(made).split('(')[0]);
    expect(Object.keys(made)).toEqual([]);
  });
});

it('a scaler is shown with its scale, and how it moves', () => {
  const scaler = new GradScaler({ initScale: 4, growthInterval: 9 });
  expect(shown(scaler)).toBe(
    'GradScaler { enabled: true, scale: 4, growthFactor: 2, backoffFactor: 0.5, ' +
      'growthInterval: 9, growthTracker: 0 }',
  );
});
