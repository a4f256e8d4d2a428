/** How figures are written; a dash where there is none. */

const NONE = '–';

/** Three digits that count: 0.283, 12.5, 1230. */
export function digits(value: number | undefined, unit = ''): string {
  if (value === undefined) return NONE;
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-3))));
  return `${value.toFixed(Math.min(places, 3))}${unit}`;
}

export function percent(share: number | undefined): string {
  return share === undefined ? NONE : `${(100 * share).toFixed(0)} %`;
}

/** Nanoseconds in the unit that suits them. */
export function duration(nanoseconds: number | undefined): string {
  if (nanoseconds === undefined) return NONE;
  const size = Math.abs(nanoseconds);
  if (size < 1e3) return `${nanoseconds.toFixed(0)} ns`;
  return size < 1e6 ? digits(nanoseconds / 1e3, ' µs') : digits(nanoseconds / 1e6, ' ms');
}
