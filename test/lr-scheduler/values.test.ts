/** Every scheduler's lr and momentum against those that PyTorch printed. */

import { describe, expect, test } from 'vitest';
import { play, type Row, SCENARIOS, type Scenario, sampled, VALUES } from './scenarios.ts';

/**
 * Equal bits, but where a power or cosine of glibc is itself not the nearest double, or a function
 * of the scenario is the engine's.
 */
const NEARLY: Readonly<Record<string, number>> = {
  'PolynomialLR, 10,000 steps': 1e-15,
  'CosineAnnealingLR, 10,000 steps': 1e-15,
  'CyclicLR, 10,000 steps': 1e-15,
  'SequentialLR, 10,000 steps': 1e-15,
};

const toleranceOf = (scenario: Scenario) =>
  NEARLY[scenario.name] ?? (JSON.stringify(scenario).includes('named:sine') ? 1e-15 : 0);

/** The largest relative difference, and where. */
function worst(ours: readonly Row[], torch: readonly Row[]) {
  let found = { error: 0, row: -1, ours: [] as unknown, torch: [] as unknown };
  torch.forEach((row, i) => {
    row.forEach((pair, g) => {
      pair.forEach((value, k) => {
        const mine = ours[i]?.[g]?.[k] ?? Number.NaN;
        const error = mine === value ? 0 : Math.abs(mine - value) / Math.abs(value);
        if (!(error <= found.error)) found = { error, row: i, ours: ours[i], torch: row };
      });
    });
  });
  return found;
}

describe('values that PyTorch printed', () => {
  test.each(SCENARIOS)('$name', (scenario) => {
    const rows = [...play(scenario)];
    const ours = sampled(rows.length - 1).map((i) => rows[i]!);
    const torch = VALUES[scenario.name]!;
    expect(ours.length).toBe(torch.length);
    expect(ours.map((row) => row.length)).toEqual(torch.map((row) => row.length));
    const { error, ...where } = worst(ours, torch);
    expect(error, JSON.stringify(where)).toBeLessThanOrEqual(toleranceOf(scenario));
  });

  test('there are values for 10,000 steps of each class', () => {
    const long = SCENARIOS.filter(({ steps }) => steps >= 9_999);
    expect(long.map(({ scheduler }) => scheduler[0]).sort()).toEqual(CLASSES);
  });

  test('a difference would be seen', () => {
    const [scenario] = SCENARIOS;
    const rows = [...play({ ...scenario!, groups: [{ lr: 0.1 + 2 ** -56, momentum: 0.9 }] })];
    const { error } = worst(rows, VALUES[scenario!.name]!);
    expect(error).toBeGreaterThan(0);
  });
});

const CLASSES = [
  'ChainedScheduler',
  'ConstantLR',
  'CosineAnnealingLR',
  'CosineAnnealingWarmRestarts',
  'CyclicLR',
  'ExponentialLR',
  'LambdaLR',
  'LinearLR',
  'MultiStepLR',
  'MultiplicativeLR',
  'OneCycleLR',
  'PolynomialLR',
  'ReduceLROnPlateau',
  'SWALR',
  'SequentialLR',
  'StepLR',
];
