/** Arithmetic with twice the bits of a double, by which scalars are rounded only once. */

/** An unevaluated sum of two doubles: about 106 bits. */
export interface DoubleDouble {
  readonly high: number;
  readonly low: number;
}

export function exactly(high: number): DoubleDouble {
  return { high, low: 0 };
}

/** The sum, exactly; |a| >= |b|. */
function fastSum(a: number, b: number): DoubleDouble {
  const high = a + b;
  return { high, low: b - (high - a) };
}

/** The sum, exactly, whichever is larger (Knuth's TwoSum). */
export function exactSum(a: number, b: number): DoubleDouble {
  const high = a + b;
  const part = high - a;
  return { high, low: a - (high - part) + (b - part) };
}

export function add(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const sum = exactSum(a.high, b.high);
  return fastSum(sum.high, sum.low + (a.low + b.low));
}

/** Veltkamp's split into 26 and 27 bits, whose products are exact. */
function split(a: number): DoubleDouble {
  const c = 134217729 * a;
  const high = c - (c - a);
  return { high, low: a - high };
}

export function multiply(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const product = a.high * b.high;
  const x = split(a.high);
  const y = split(b.high);
  // Dekker's TwoProduct: the rounding error of `product`, exactly.
  const error = x.low * y.low - (product - x.high * y.high - x.low * y.high - x.high * y.low);
  return fastSum(product, error + (a.high * b.low + a.low * b.high));
}

export function divide(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const quotient = a.high / b.high;
  const rest = add(a, multiply(b, exactly(-quotient)));
  return fastSum(quotient, rest.high / b.high);
}
