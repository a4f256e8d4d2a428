/**
 * The numbers that a case starts from and steps with: the same, line for line, in `inputs.py`.
 *
 * Only integers are computed, so that no two languages can round differently: a random 32-bit word
 * gives a float32 its sign and mantissa, and the kind of the array decides the exponent.
 */

const SPECIALS = [
  0x7fc00000, // NaN
  0x7f800000, // Infinity
  0xff800000, // -Infinity
  0x00000000, // 0
  0x80000000, // -0
  0x7f61b1e6, // 3e38
  0xff61b1e6, // -3e38
  0x7f7fffff, // the largest finite number
  0xff7fffff,
  0x00000001, // the smallest denormal
  0x80000001,
  0x007fffff, // the largest denormal
  0x00800000, // the smallest normal number
  0x80800000,
  0x5f7fffff, // just below 2^64: its square is just finite
  0xdf800000, // -2^64: its square is infinite
  0x20000000, // 2^-63: its square is the smallest normal number
  0x1f800000, // 2^-64: its square is denormal
];

/** Output of the mulberry32 generator that starts at `key`, at the given place. */
function wordAt(key: number, index: number): number {
  const a = (key + Math.imul(index + 1, 0x6d2b79f5)) | 0;
  let t = Math.imul(a ^ (a >>> 15), a | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

function withExponent(word: number, exponent: number): number {
  return (word & 0x807fffff) | (exponent << 23);
}

function normal(word: number, field: number): number {
  return withExponent(word, 119 + (field & 7));
}

const KINDS = {
  /** Magnitudes from 2^-8 to 1. */
  normal,
  /** Magnitudes from 2^-44 to 2^20. */
  scaled: (word: number, field: number) => withExponent(word, 83 + (field & 63)),
  /** Magnitudes from 2^64 to the largest finite number: half of the squares overflow by far. */
  huge: (word: number, field: number) => withExponent(word, 191 + (field & 63)),
  /** Every magnitude below the smallest normal number. */
  denormal: (word: number, field: number) =>
    (word & 0x80000000) | ((word & 0x007fffff) >> (field & 15)),
  /** Zeros of both signs. */
  zero: (word: number) => word & 0x80000000,
  /** Normal, but for about one value in fourteen. */
  special: (word: number, field: number) => SPECIALS[field] ?? normal(word, field),
};

/** What an array of values looks like. */
export type Kind = keyof typeof KINDS;

/** Writes the data (step 0) or the gradient (from step 1 on) of one parameter of a case. */
export function fill(
  target: Float32Array,
  kind: Kind,
  seed: number,
  step: number,
  parameter: number,
): void {
  const key = wordAt(wordAt(seed, step), parameter);
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  const toBits: (word: number, field: number) => number = KINDS[kind];
  for (let i = 0; i < bits.length; i++) {
    const word = wordAt(key, i);
    bits[i] = toBits(word, (word >>> 23) & 255);
  }
}
