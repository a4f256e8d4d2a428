/** Random compositions of plain schedules. */

import fc from 'fast-check';
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

const steps = fc.integer({ min: 1, max: 30 });
const value = fc.integer({ min: 0, max: 2000 }).map((n) => n / 1000);
const factor = fc.double({ min: 0.1, max: 0.99, noNaN: true });
const { any } = fc.letrec<{ any: ScheduleFunction }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.record({ from: value, to: value, steps }).map(linear),
    fc.record({ from: value, to: value, steps, cycles: factor }).map(cosine),
    fc.record({ from: value, to: value, steps, power: factor }).map(polynomial),
    fc.record({ from: value, gamma: factor, steps, staircase: fc.boolean() }).map(exponential),
    fc.record({ from: value, timescale: steps }).map(inverseSqrt),
    fc.record({ max: value, totalSteps: steps, threePhase: fc.boolean() }).map(oneCycle),
    fc.record({ stableSteps: steps, decaySteps: steps, warmupSteps: steps }).map(warmupStableDecay),
    fc.tuple(value, steps, value).map(([a, at, b]) =>
      piecewise([
        [0, a],
        [at, b],
      ]),
    ),
    fc.tuple(steps, tie('any')).map(([count, next]) => warmup(count, next)),
    fc.tuple(tie('any'), tie('any'), steps).map(([a, b, at]) => join([a, b], [at])),
    fc
      .tuple(
        tie('any'),
        fc.record({ steps, mult: fc.constantFrom(0.5, 0.9, 1, 2, 3), gamma: factor }),
      )
      .map(([inner, options]) => cycle(inner, options)),
  ),
}));

/** Any composition of plain schedules, with values >= 0. */
export const composition: fc.Arbitrary<ScheduleFunction> = any;
