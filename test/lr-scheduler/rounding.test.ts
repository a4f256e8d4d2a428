/** Rounding is no user's mistake: no scheduler makes a group refuse what is right but for it. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Adam,
  CosineAnnealingLR,
  CyclicLR,
  cosine,
  LambdaLR,
  linear,
  OneCycleLR,
  oneCycle,
  Parameter,
  piecewise,
  SGD,
  schedule,
  warmup,
} from '../../lib/index.ts';
import { expectError } from '../support/helpers.ts';

const sgd = (lr: number) => new SGD([new Parameter([1])], { lr });
/** The largest number below 1. */
const MOST = 1 - 2 ** -53;

describe('an lr that rounding would put below 0', () => {
  test('CosineAnnealingLR from 0 up to etaMin and back, again and again', () => {
    const number = fc.double({ min: 1e-8, max: 1, noNaN: true });
    const property = fc.property(
      fc.record({ TMax: fc.integer({ min: 1, max: 60 }), etaMin: number }),
      ({ TMax, etaMin }) => {
        const optimizer = sgd(0);
        const scheduler = new CosineAnnealingLR(optimizer, { TMax, etaMin });
        for (let t = 1; t < 300; t++) {
          scheduler.step();
          const exact = (etaMin * (1 - Math.cos((Math.PI * t) / TMax))) / 2;
          expect(Math.abs(optimizer.paramGroups[0]!.lr - exact)).toBeLessThan(1e-9 * etaMin);
        }
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  test('is 0; one that is wrong is still refused', () => {
    const optimizer = sgd(0.1);
    const scheduler = new LambdaLR(optimizer, { lrLambda: (t) => [1, -5e-17, -1e-9][t]! });
    scheduler.step();
    expect(optimizer.paramGroups[0]!.lr).toBe(0);
    expectError(() => scheduler.step(), 'ERR_INVALID_OPTION', 'Invalid learning rate');
  });

  test('is 0 in a schedule of any option', () => {
    const optimizer = new SGD([new Parameter([1])], { weightDecay: 0.3 });
    const down = (step: number) => 0.3 - 0.1 * step;
    const scheduler = schedule(optimizer, { weightDecay: down });
    scheduler.step();
    scheduler.step();
    scheduler.step();
    expect(down(3)).toBeLessThan(0);
    expect(optimizer.paramGroups[0]!.weightDecay).toBe(0);
    expectError(() => scheduler.step(), 'ERR_INVALID_OPTION', 'Invalid weight_decay');
  });
});

describe('a momentum that rounding would lift to 1', () => {
  const adam = () => new Adam([new Parameter([1])]);

  test('stays below', () => {
    for (const baseMomentum of [0.1, 0.3, 0.6, 0.85, 0.9, MOST]) {
      const momenta = { baseMomentum, maxMomentum: MOST };
      for (const annealStrategy of ['cos', 'linear'] as const) {
        const one = new OneCycleLR(adam(), {
          maxLr: 1,
          totalSteps: 40,
          annealStrategy,
          ...momenta,
        });
        for (let t = 0; t < 40; t++) one.step();
      }
      const turned = { baseMomentum: MOST, maxMomentum: baseMomentum };
      for (const ends of [momenta, turned]) {
        const cyclic = new CyclicLR(adam(), { baseLr: 0, maxLr: 1, stepSizeUp: 7, ...ends });
        for (let t = 0; t < 40; t++) cyclic.step();
      }
    }
  });

  test('stays between its ends in every plain schedule', () => {
    const end = fc.oneof(
      fc.constantFrom(MOST, 0.9, 0.1, 0, 1e-300),
      fc.double({ min: 0, max: MOST, noNaN: true }),
    );
    const property = fc.property(end, end, (from, to) => {
      const schedules = [
        linear({ from, to, steps: 37 }),
        cosine({ from, to, steps: 37, cycles: 2.5 }),
        warmup({ steps: 9, from }, linear({ from: to, to: from, steps: 28 })),
        piecewise(
          [
            [0, from],
            [37, to],
          ],
          { interpolate: 'cosine' },
        ),
      ];
      const [low, high] = [Math.min(from, to), Math.max(from, to)];
      for (const at of schedules) {
        for (let t = 0; t <= 38; t++) {
          expect(at(t)).toBeGreaterThanOrEqual(low);
          expect(at(t)).toBeLessThanOrEqual(high);
        }
      }
      const cycle = oneCycle({ max: high, totalSteps: 37, divFactor: 1 + 2 ** -52 });
      for (let t = 0; t <= 38; t++) expect(cycle(t)).toBeLessThanOrEqual(high);
    });
    fc.assert(property, { numRuns: 200 });
  });

  test('a maxMomentum of 1 is still refused where 1 is no momentum', () => {
    const options = { baseLr: 0, maxLr: 1, maxMomentum: 1 };
    expectError(() => new CyclicLR(adam(), options), 'ERR_INVALID_OPTION', 'Invalid beta');
    expect(() => new CyclicLR(sgd(1), options)).not.toThrow();
  });
});
