/** Half-precision numbers as float32, exactly: subnormal ones, infinities and NaN too. */

const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

/** IEEE 754 binary16. */
function fromFloat16(half: number): number {
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16: the upper half of a float32. */
function fromBfloat16(half: number): number {
  bits[0] = half << 16;
  return value[0]!;
}

/** Converts as many elements as `into` has, from `from` on. */
export function widen(
  halves: Uint16Array,
  dtype: 'F16' | 'BF16',
  into: Float32Array,
  from: number,
): void {
  const convert = dtype === 'F16' ? fromFloat16 : fromBfloat16;
  for (let i = 0; i < halves.length; i++) into[from + i] = convert(halves[i]!);
}
