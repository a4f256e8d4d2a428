/** Three numbers and what fma gives: directed cases, random ones, and the definition. */

const { fround } = Math;
const MAX = 2 ** 128 - 2 ** 104;
const TINY = 2 ** -149;

/** fma by exact integers: the definition, slow and without a trick. */
function exactFma(a: number, b: number, c: number): number {
  if (![a, b, c].every(Number.isFinite)) return a * b + c;
  const scaled = integer(a) * integer(b) + (integer(c) << 149n); // in units of 2^-298
  if (scaled === 0n) return a * b + c; // the sign of zero is right in double
  return roundToFloat32(scaled);
}

/** A float32 in units of 2^-149. */
function integer(x: number): bigint {
  const [word] = new Uint32Array(Float32Array.of(x).buffer);
  const exponent = (word! >>> 23) & 0xff;
  const mantissa = BigInt((word! & 0x7fffff) | (exponent > 0 ? 0x800000 : 0));
  return (word! >>> 31 ? -mantissa : mantissa) << BigInt(Math.max(exponent - 1, 0));
}

/** The float32 nearest to `scaled` * 2^-298, ties to even. */
function roundToFloat32(scaled: bigint): number {
  const magnitude = scaled < 0n ? -scaled : scaled;
  const shift = BigInt(Math.max(magnitude.toString(2).length - 24, 149));
  let kept = magnitude >> shift;
  const rest = magnitude - (kept << shift);
  const half = 1n << (shift - 1n);
  if (rest > half || (rest === half && (kept & 1n) === 1n)) kept += 1n;
  const value = Number(kept) * 2 ** Number(shift - 149n) * 2 ** -149;
  return (scaled < 0n ? -1 : 1) * (value > MAX ? Number.POSITIVE_INFINITY : value);
}

/** Where double rounding, overflow and underflow go wrong, with every sign. */
function directedCases(): number[][] {
  const cases = [
    [18631, 1801 * 2 ** 103, -1], // the overflow tie, from below
    [18631, 1801 * 2 ** 103, 1],
    [18631, 1801 * 2 ** 103, 0],
    [MAX, 1, 2 ** 103], // exactly the tie
    [MAX, 1, 2 ** 102],
    [MAX, 1, fround(2 ** 103 - 2 ** 79)],
    [2 ** 64, 2 ** 63, TINY],
    [TINY, 0.5, 0], // 2^-150: a tie at the bottom
    [TINY, 0.5, TINY],
    [2 ** -75, 2 ** -75, TINY],
    [2 ** -75, 2 ** -75, 0],
    [2 ** -100, 2 ** -100, TINY],
    [2 ** -100, 2 ** -100, 2 ** -126],
    [2 ** -126, fround(1 - 2 ** -24), TINY],
    [1 + 2 ** -23, 1 + 2 ** -23, 0],
    [1, 1 + 2 ** -23, 2 ** -24], // ties at 1 + k * 2^-23 + 2^-24
    [1, 1, 2 ** -24],
    [1, 1, -(2 ** -25)], // a power of two: the spacing halves below it
    [1, 1, -(2 ** -26)],
    [2 ** 12, 2 ** 12, 0.5],
    [0, 5, -0],
    [-0, 5, 0],
    [0, Number.POSITIVE_INFINITY, 1],
    [Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY],
    [Number.POSITIVE_INFINITY, 2, 3],
    [Number.NaN, 2, 3],
    [MAX, MAX, Number.NEGATIVE_INFINITY],
    [MAX, 2, -MAX],
  ];
  // Ties that the last bits of c decide: a * b lies midway, c is far below.
  for (let k = 0; k < 24; k++) {
    for (const c of [2 ** -60, 2 ** -100, TINY, 0]) {
      cases.push([1 + 2 ** -k, 1 + 2 ** (k - 24), c], [1 + 2 ** -12, 1 + 2 ** -12, c]);
    }
  }
  return cases.flatMap(([a, b, c]) =>
    [1, -1].flatMap((s) => [1, -1].map((t) => [s * a!, b!, t * c!].map(fround))),
  );
}

/** Random triples of all magnitudes, many with a sum near a tie. */
function randomCases(count: number): number[][] {
  let seed = 12345;
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed;
  };
  const any = () => new Float32Array(Uint32Array.of(next()).buffer)[0]!;
  const near = () => fround((1 + (next() >>> 9) * 2 ** -23) * 2 ** ((next() % 40) - 20));
  return Array.from({ length: count }, (_, i) => {
    const [a, b] = i % 2 ? [any(), any()] : [near(), near()];
    const product = fround(a * b);
    const c = i % 4 < 2 ? any() : fround(product * 2 ** ((next() % 60) - 30));
    return [a, b, next() % 8 === 0 ? -product : c];
  });
}

export const cases: readonly number[][] = [...directedCases(), ...randomCases(20_000)];
/** What fma gives for each, by exact integers. */
export const expected: Float32Array = Float32Array.from(cases, ([a, b, c]) => exactFma(a!, b!, c!));

/** Whether two numbers are one, or both no number; zeros have their signs. */
export function same(x: number, y: number): boolean {
  return Object.is(x, y);
}
