/**
 * base^exponent for the scalars of rules: the same double as `native/math/power.cc`, line for
 * line, whatever the engine's `Math.pow` does.
 */

import { add, type DoubleDouble, divide, exactly, exactSum, multiply } from './double-double.ts';

const ONE = exactly(1);
const LN2: DoubleDouble = { high: Math.LN2, low: 2.3190468138462996e-17 };

const word = new DataView(new ArrayBuffer(8));

/** x = m * 2^k with m in [0.5, 1): C's frexp for a positive x. */
function frexp(x: number): [m: number, k: number] {
  if (x < 2.2250738585072014e-308) {
    const [m, k] = frexp(x * 18014398509481984);
    return [m, k - 54];
  }
  word.setFloat64(0, x);
  const top = word.getUint32(0);
  word.setUint32(0, (top & 0xfffff) | (1022 << 20));
  return [word.getFloat64(0), (top >>> 20) - 1022];
}

function powerOfTwo(k: number): number {
  word.setUint32(0, (k + 1023) << 20);
  word.setUint32(4, 0);
  return word.getFloat64(0);
}

/** C's ldexp for an x near 1: in two factors, of which only the last can round. */
function ldexp(x: number, k: number): number {
  const half = Math.floor(k / 2);
  return x * powerOfTwo(half) * powerOfTwo(k - half);
}

/** By binary exponentiation. */
function wholePower(base: number, exponent: number): DoubleDouble {
  let result = ONE;
  let square = exactly(base);
  for (let n = exponent; n >= 1; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result = multiply(result, square);
    if (n > 1) square = multiply(square, square);
  }
  return result;
}

/** ln x = k ln 2 + 2 artanh z, where x = 2^k m and z = (m - 1) / (m + 1). */
function logarithm(x: number): DoubleDouble {
  let [m, k] = frexp(x);
  if (m < 0.7) {
    m *= 2;
    k -= 1;
  }
  const z = divide(exactly(m - 1), exactSum(m, 1)); // |z| < 0.18
  const square = multiply(z, z);
  let tail = 0; // of the series: its small terms need no more than a double
  for (let n = 41; n > 13; n -= 2) tail = tail * square.high + 2 / n;
  let sum = exactly(tail);
  for (let n = 13; n > 0; n -= 2) sum = add(multiply(sum, square), divide(exactly(2), exactly(n)));
  return add(multiply(LN2, exactly(k)), multiply(sum, z));
}

/** e^y = 2^k e^r by Taylor's series, |r| < 0.35; for a y whose result is a double. */
function exponential(y: DoubleDouble): number {
  const k = Math.floor(y.high / LN2.high + 0.5);
  const r = add(y, multiply(LN2, exactly(-k)));
  let tail = 1;
  for (let n = 23; n > 9; n--) tail = 1 + tail * (r.high / n);
  let sum = exactly(tail);
  for (let n = 9; n > 0; n--) sum = add(ONE, multiply(sum, divide(r, exactly(n))));
  return ldexp(sum.high, k);
}

/**
 * base^exponent in double-double, rounded once: whole powers of a base below 1, as in bias
 * corrections, by binary exponentiation, all others as e^(exponent ln base). NaN for base < 0.
 */
export function power(base: number, exponent: number): number {
  if (exponent === 0 || base === 1) return 1;
  if (!(base >= 0) || Number.isNaN(exponent)) return Number.NaN;
  if (base === 0 || base === Number.POSITIVE_INFINITY) {
    return (base === 0) === exponent > 0 ? 0 : Number.POSITIVE_INFINITY;
  }
  // The powers of betas; those of larger bases could overflow on the way.
  if (
    base < 1 &&
    exponent > 0 &&
    exponent < 9007199254740992 &&
    exponent === Math.floor(exponent)
  ) {
    return wholePower(base, exponent).high;
  }
  const log = logarithm(base);
  const rough = log.high * exponent;
  if (rough > 710) return Number.POSITIVE_INFINITY;
  if (rough < -746) return 0;
  return exponential(multiply(log, exactly(exponent)));
}
