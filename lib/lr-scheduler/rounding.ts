/**
 * What rounding puts just outside of where a value can be. Nobody has made a mistake then, and a
 * group would refuse the value.
 */

/** `value`, or 0 where it lies below by no more than rounding does to numbers of this size. */
export function notBelowZero(value: number, size: number): number {
  return value < 0 && -value <= size * 2 ** -40 ? 0 : value;
}

/** A momentum that lies between two others: below 1 where they are. */
export function notAboveEnds(value: number, one: number, other: number): number {
  const most = Math.max(one, other);
  return value >= 1 && most < 1 ? most : value;
}
