/** Every scheduler's lr and momentum against those that PyTorch printed, to 1e-12 relative. */

import { describe, expect, test } from 'vitest';
import { play, type Row, SCENARIOS, sampled, VALUES } from './scenarios.ts';

const TOLERANCE = 1e-12;

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
    expect(error, JSON.stringify(where)).toBeLessThanOrEqual(TOLERANCE);
  });

  test('there are values for 10,000 steps of each class', () => {
    const long = SCENARIOS.filter(({ steps }) => steps >= 9_999);
    expect(long.map(({ scheduler }) => scheduler[0]).sort()).toEqual(CLASSES);
  });

  test('a difference would be seen', () => {
    const [scenario] = SCENARIOS;
    const rows = [...play({ ...scenario!, groups: [{ lr: 0.1 + 1e-12, momentum: 0.9 }] })];
    const { error } = worst(rows, VALUES[scenario!.name]!);
    expect(error).toBeGreaterThan(TOLERANCE);
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
