/** base^exponent, which decides the scalars of bias corrections and falling rates. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../lib/backend/load-addon.ts';
import { power } from '../../lib/support/power.ts';

const addon = loadAddon();
const { fround } = Math;

/** Rows of base, exponent, and what glibc's pow gives. */
const file = new URL('../reference/powers/powers.json', import.meta.url);
const golden: [number, number, number][] = JSON.parse(readFileSync(file, 'utf8'));

/** base^exponent in integers of 200 bits: right to far beyond a double. */
function exactPower(base: number, exponent: number): number {
  const bits = 200n;
  let square = BigInt(base * 2 ** 60) << (bits - 60n); // exact for 0 and bases over 2^-7
  let result = 1n << bits;
  for (let n = exponent; n > 0; n = Math.floor(n / 2)) {
    if (n % 2) result = (result * square) >> bits;
    square = (square * square) >> bits;
  }
  return Number(result) / 2 ** Number(bits);
}

describe('beta^t', () => {
  const betas = [0, 0.4, 0.5, 0.85, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
  const steps = [0, 1, 2, 3, 7, 10, 100, 999, 1000, 12_345, 100_000, 1_234_567, 16_777_217];

  it('is the same double in C++ and in TypeScript', () => {
    for (const beta of [...betas, 1 - 2 ** -53, 2 ** -500, 5e-324]) {
      for (const t of [...steps, 2 ** 40 + 1]) {
        expect(power(beta, t), `${beta}^${t}`).toBe(addon.debugPower(beta, t));
      }
    }
  });

  it('is rounded from the exact value', () => {
    for (const beta of betas) {
      for (const t of steps.filter((step) => step <= 12_345)) {
        const exact = exactPower(beta, t);
        if (exact > 2 ** -100) expect(power(beta, t), `${beta}^${t}`).toBe(exact);
      }
    }
  });

  it('gives the float32 scalars that Math.pow gives, where that is right', () => {
    let flips = 0;
    for (const beta of betas) {
      for (let t = 1; t < 3000; t++) {
        const [ours, theirs] = [power(beta, t), beta ** t];
        if (fround(Math.sqrt(1 - ours)) !== fround(Math.sqrt(1 - theirs))) flips += 1;
        if (fround(1e-3 / (1 - ours)) !== fround(1e-3 / (1 - theirs))) flips += 1;
      }
    }
    expect(flips).toBeLessThan(5); // V8's pow is not glibc's: its last bit may differ
  });
});

/** A generator of doubles: any positive one, and exponents whose power is often finite. */
function* randomCases(count: number): Generator<[base: number, exponent: number]> {
  let seed = 12345;
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed;
  };
  for (let i = 0; i < count; i++) {
    const [base] = new Float64Array(Uint32Array.of(next(), next() >>> 1).buffer);
    const near = 1 + (next() / 2 ** 32 - 0.5) * 2 ** -(next() % 30);
    yield [i % 2 ? base! : near, (next() / 2 ** 31 - 1) * 2 ** ((next() % 16) - 6)];
  }
}

/** Where a power begins or ceases to be a double, and what C's pow gives there. */
const edges: [base: number, exponent: number, expected: number][] = [
  [0, 0, 1],
  [Number.NaN, 0, 1],
  [1, 1e300, 1],
  [1, Number.NaN, 1],
  [0, 0.5, 0],
  [0, -0.5, Number.POSITIVE_INFINITY],
  [Number.POSITIVE_INFINITY, 0.5, Number.POSITIVE_INFINITY],
  [Number.POSITIVE_INFINITY, -0.5, 0],
  [Number.NaN, 0.5, Number.NaN],
  [0.5, Number.NaN, Number.NaN],
  [-0.5, 2, Number.NaN],
  [-0.5, 0.5, Number.NaN],
  [2, 1023, 2 ** 1023],
  [2, 1024, Number.POSITIVE_INFINITY],
  [2, -1074, 5e-324],
  [2, -1075.5, 0],
  [0.5, 1074, 5e-324],
  [0.5, -1023, 2 ** 1023],
  [0.5, -1024, Number.POSITIVE_INFINITY],
  [4, 0.5, 2],
  [4, -0.5, 0.5],
  [5e-324, 0.5, 2 ** -537],
  [2 ** -1022, -0.5, 2 ** 511],
  [1.5, 1e300, Number.POSITIVE_INFINITY],
  [1.5, -1e300, 0],
  [0.9999999999999999, 5e18, Math.exp(-555.1115123125783)],
  [0.3, 5e-324, 1],
  [3, 1, 3],
  [1e200, 2, Number.POSITIVE_INFINITY],
];

describe('any power', () => {
  it('is the same double in C++ and in TypeScript', () => {
    const cases = [...edges, ...golden, ...randomCases(20_000)];
    const wrong = cases.filter(
      ([base, exponent]) => !Object.is(power(base, exponent), addon.debugPower(base, exponent)),
    );
    expect(wrong).toEqual([]);
  });

  it.each(edges)('%d ^ %d = %d', (base, exponent, expected) => {
    const ours = power(base, exponent);
    if (expected > 1e-300 && expected < 1e300) expect(ours / expected).toBeCloseTo(1, 10);
    else expect(ours).toBe(expected);
  });

  it('gives the float32 scalars of NAdam and ASGD that glibc’s pow gives', () => {
    expect(golden.length).toBeGreaterThan(500);
    const scalars = [
      (p: number) => fround(p),
      (p: number) => fround(0.9 * (1 - 0.5 * p)),
      (p: number) => fround((-2e-3 * p) / (1 - 0.5 * p)),
      (p: number) => fround(0.01 / p),
    ];
    let differing = 0;
    for (const [base, exponent, expected] of golden) {
      const ours = power(base, exponent);
      if (ours !== expected) differing += 1;
      for (const scalar of scalars) {
        expect(scalar(ours), `${base}^${exponent}`).toBe(scalar(expected));
      }
      expect(Math.abs(ours / expected - 1), `${base}^${exponent}`).toBeLessThan(2 ** -51);
    }
    expect(differing).toBeLessThan(10); // glibc's last double is itself not always the nearest
  });

  it('is the double nearest to the exact value', () => {
    const quarters = [1, 2, 3, 5, 7, 10, -1, -3];
    for (let i = 1; i < 400; i++) {
      const base = 1 + i ** 2 * 0.0137;
      for (const n of quarters) {
        expect(isNearest(power(base, n / 4), base, n), `${base}^(${n}/4)`).toBe(true);
      }
    }
  });
});

/** Whether y is the double nearest to base^(n/4): y ± half its spacing, to the fourth power. */
function isNearest(y: number, base: number, n: number): boolean {
  const scale = 100n; // numbers are in units of 2^-100
  const [word] = new BigUint64Array(Float64Array.of(y).buffer);
  const half = 1n << ((word! >> 52n) - 1023n - 53n + scale);
  const four = (x: bigint) => x ** 4n;
  const exact = (x: number) => BigInt(x * 2 ** 100);
  const [below, above] = [four(exact(y) - half), four(exact(y) + half)]; // in 2^-400
  const whole = exact(base) ** BigInt(Math.abs(n)); // in 2^(-100 |n|)
  const shift = scale * BigInt(Math.abs(n));
  if (n > 0)
    return below << shift <= whole << (4n * scale) && whole << (4n * scale) <= above << shift;
  const one = 1n << (4n * scale + shift); // base^|n| * y^4 is about 1
  return below * whole <= one && one <= above * whole;
}
