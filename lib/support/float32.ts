/** Facts of the float32 format. */

/** The largest finite float32: (2 - 2^-23) * 2^127. */
export const FLOAT32_MAX = 3.4028234663852886e38;
