/**
 * `fma(a, b, c)` of float32 with one rounding, through double; line for line
 * `native/math/emulated_fma.h`.
 */

import { FLOAT32_MAX } from '../../support/float32.ts';

const { abs, fround } = Math;

/** Midway between the largest float and the next power of two: 2^128 - 2^103. */
const OVERFLOW_TIE = 2 ** 128 - 2 ** 103;

/** The exact error of the double sum s = p + c (Knuth's TwoSum). */
function sumError(p: number, c: number, s: number): number {
  const z = s - p;
  return p - (s - z) + (c - z);
}

/** a * b + c, rounded once to float32; a, b and c are float32. */
export function fma(a: number, b: number, c: number): number {
  const p = a * b; // exact: 24 + 24 bits
  const s = p + c;
  const r = fround(s);
  const d = s - r;
  if (d === 0) return r;
  // Rounding twice goes wrong only where s, itself rounded, lies midway between two floats.
  const t = r + 2 * d;
  if (fround(t) === t) {
    const e = sumError(p, c, s);
    return e !== 0 && e > 0 === d > 0 ? t : r;
  }
  // Midway between the largest float and infinity, t is no number.
  if (abs(s) === OVERFLOW_TIE && sumError(p, c, s) * s < 0)
    return s > 0 ? FLOAT32_MAX : -FLOAT32_MAX;
  return r;
}
