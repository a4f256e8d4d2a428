/** How numbers and tables look in the output. */

import type { GroupReport } from './fine-tune.ts';

/** 0.9712 as `97.12 %`; small shares keep two digits that count: `0.0031 %`. */
export function percent(share: number): string {
  const value = 100 * share;
  const small = value > 0 && value < 0.1;
  return `${small ? Number(value.toPrecision(2)) : value.toFixed(2)} %`;
}

/** 62006 as `62,006`. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

/** 0.01 as `1e-2`, so that learning rates compare at a glance. */
export function rate(lr: number): string {
  const text = Number(lr.toPrecision(2)).toExponential();
  return lr === 0 ? '0' : text;
}

/** One row for each group: what it is, at what rate it learned, how far it moved. */
export function groupTable(groups: readonly GroupReport[]): string[] {
  const rows = groups.map(({ name, lr: [first, last], size, moved }) => [
    name,
    first === last ? rate(first) : `${rate(first)} to ${rate(last)}`,
    grouped(size),
    percent(moved),
  ]);
  return table([['group', 'lr', 'parameters', 'moved'], ...rows]);
}

/** Columns as wide as their widest cell, to the right but for those in `left`. */
export function table(rows: readonly string[][], left: readonly number[] = [0, 1]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (left.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('   ')
      .trimEnd(),
  );
}
