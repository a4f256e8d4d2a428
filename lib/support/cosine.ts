/**
 * The cosine of schedules, in double-double and rounded once, whatever the engine's `Math.cos`
 * does: nearly always the double of C's, by which PyTorch computes its learning rates.
 */

import { add, type DoubleDouble, divide, exactly, exactSum, multiply } from './double-double.ts';

const ONE = exactly(1);

/** π/2 = QUARTER + REST, to 160 bits. */
const QUARTER = Math.PI / 2;
const REST: DoubleDouble = { high: 6.123233995736766e-17, low: -1.4973849048591698e-33 };

/** x - n π/2. */
function reduced(x: number, n: number): DoubleDouble {
  const whole = multiply(exactly(-n), exactly(QUARTER)); // exact
  const rest = add(exactSum(x, whole.high), exactly(whole.low));
  return add(rest, multiply(exactly(-n), REST));
}

/** 1 - r²/(2·1) (1 - r²/(4·3) (1 - …)) from an even `last`: cos r; from an odd one: (sin r)/r. */
function series(r: DoubleDouble, last: number): DoubleDouble {
  const square = multiply(r, r);
  let sum = ONE;
  for (let n = last; n > 1; n -= 2) {
    const factor = divide(square, exactly(-n * (n - 1)));
    sum = add(ONE, multiply(sum, factor));
  }
  return sum;
}

export function cos(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  const n = Math.round(x / QUARTER);
  const r = reduced(x, n); // |r| <= π/4, where 28 terms are enough
  const even = n % 2 === 0;
  const { high } = even ? series(r, 28) : multiply(r, series(r, 29));
  const quadrant = ((n % 4) + 4) % 4;
  return quadrant === 1 || quadrant === 2 ? -high : high;
}
