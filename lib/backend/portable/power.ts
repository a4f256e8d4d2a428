/**
 * beta^t for bias corrections: the same double as `native/core/power.cc`, whatever the engine's
 * `Math.pow` does.
 */

/** Veltkamp's split of a double into 26 and 27 bits, whose products are exact: the high part. */
function high(a: number): number {
  const c = 134217729 * a;
  return c - (c - a);
}

/** The exact rounding error of p = a * b (Dekker's TwoProduct). */
function productError(a: number, b: number, p: number): number {
  const ah = high(a);
  const bh = high(b);
  const al = a - ah;
  const bl = b - bh;
  return al * bl - (p - ah * bh - al * bh - ah * bl);
}

/**
 * base^exponent by binary exponentiation in double-double, rounded once.
 * @param exponent An integer >= 0.
 */
export function power(base: number, exponent: number): number {
  // result = r + rl, square = q + ql: unevaluated sums of two doubles.
  let [r, rl, q, ql] = [1, 0, base, 0];
  for (let n = exponent; n >= 1; n = Math.floor(n / 2)) {
    if (n % 2 === 1) {
      const p = r * q;
      const e = productError(r, q, p) + (r * ql + rl * q);
      r = p + e;
      rl = e - (r - p);
    }
    if (n > 1) {
      const p = q * q;
      const e = productError(q, q, p) + (q * ql + ql * q);
      q = p + e;
      ql = e - (q - p);
    }
  }
  return r + rl;
}
