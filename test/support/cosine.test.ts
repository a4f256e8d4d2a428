/** The cosine, which decides the lr of half of all schedules. */

import { describe, expect, it } from 'vitest';
import { cos } from '../../lib/support/cosine.ts';

const BITS = 200n;
const ONE = 1n << BITS;
/** π in units of 2^-200, by Machin's formula. */
const PI = 4n * (4n * arctan(5n) - arctan(239n));

/** arctan(1/n). */
function arctan(n: bigint): bigint {
  let sum = 0n;
  let power = ONE / n;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += (k % 4n === 1n ? power : -power) / k;
    power /= n * n;
  }
  return sum;
}

/** A double in units of 2^-200, exactly; for those over 2^-140 or so. */
function exactly(x: number): bigint {
  const whole = Math.trunc(x);
  return (BigInt(whole) << BITS) + (BigInt((x - whole) * 2 ** 180) << 20n);
}

/** cos x by Taylor's series, to 50 digits. */
function exactCosine(x: number): bigint {
  const turn = 2n * PI;
  const angle = exactly(x) % turn;
  const square = (angle * angle) >> BITS;
  let term = ONE;
  let sum = ONE;
  for (let n = 1n; term !== 0n; n += 2n) {
    term = -((term * square) >> BITS) / (n * (n + 1n));
    sum += term;
  }
  return sum;
}

const distance = (y: number, exact: bigint) => {
  const difference = exactly(y) - exact;
  return difference < 0n ? -difference : difference;
};

/** Angles of schedules, and others. */
function* angles(): Generator<number> {
  for (const steps of [7, 10, 90, 777, 9500]) {
    for (let t = 0; t < 3 * steps; t += 1 + (steps >> 6)) yield (Math.PI * t) / steps;
  }
  for (let i = 1; i < 200; i++) yield i ** 3 * 0.137;
  yield* [1e-9, 1e-5, Math.PI / 2, Math.PI / 4, 3 * (Math.PI / 4), 1e6 * Math.PI, 2 ** 30];
}

describe('cos', () => {
  it('is the double nearest to the exact value', () => {
    let differing = 0;
    for (const x of angles()) {
      const y = cos(x);
      const spacing = Math.max(2 ** -120, 2 ** (Math.floor(Math.log2(Math.abs(y))) - 52));
      const exact = exactCosine(x);
      for (const other of [y - spacing, y + spacing]) {
        expect(distance(y, exact) <= distance(other, exact), `cos ${x}`).toBe(true);
      }
      if (y !== Math.cos(x)) differing += 1;
    }
    expect(differing).toBeLessThan(60); // engines are near, and not always right
  });

  it('is exact where it is a simple number', () => {
    expect([0, -0, Math.PI, 2 * Math.PI, 101 * Math.PI].map(cos)).toEqual([1, 1, -1, 1, -1]);
    expect(cos(Math.PI / 2)).toBe(6.123233995736766e-17);
    expect(cos(Math.PI / 3)).toBe(0.5000000000000001);
    expect([Number.NaN, Infinity, -Infinity].map(cos)).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it('is even', () => {
    for (const x of angles()) expect(cos(-x)).toBe(cos(x));
  });
});
