/** Axes: round numbers between two ends, and how they are written. */

/** From the least to the largest value of all curves, with 0 where it is near. */
export function extentOf(curves: readonly (readonly number[])[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of curves.flat()) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > 0 && low < high / 2) low = 0;
  if (low === high) return low > 0 ? [0, high] : [low, low + 1];
  return [low, high];
}

/** About `count` round numbers from `low` to `high`. */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = ((high - low) / count) * (1 - 1e-9); // a hair above a round number is round
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((unit) => unit * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** A number in few characters: 0.001, 1e-7, 1000. */
export function short(value: number): string {
  const text = String(Number(value.toPrecision(4)));
  const exponential = Number(value.toPrecision(4)).toExponential();
  return text.length > exponential.length + 1 ? exponential : text;
}
