/** Contour lines by marching squares. */

import type { Point } from './functions.ts';

/** Values on the points of a grid, row by row. */
export interface Field {
  readonly columns: number;
  readonly rows: number;
  readonly at: (column: number, row: number) => number;
}

interface Crossing {
  readonly key: string;
  readonly point: Point;
  /** Whether a walk around the cell leaves the region here. */
  readonly leaves: boolean;
}

/**
 * The borders of the region where the field is at most `level`, as closed rings in units of the
 * grid. Around the field everything counts as higher, so that rings close along its edge. Holes
 * are rings too: fill by the even-odd rule.
 */
export function regionBelow(field: Field, level: number): Point[][] {
  const next = new Map<string, Crossing>();
  for (let row = -1; row < field.rows; row++) {
    for (let column = -1; column < field.columns; column++) {
      for (const [from, to] of segmentsOf(field, level, column, row)) next.set(from.key, to);
    }
  }
  const rings: Point[][] = [];
  for (const first of next.keys()) {
    const ring: Point[] = [];
    let key = first;
    for (let to = next.get(key); to; to = next.get(key)) {
      next.delete(key);
      ring.push(to.point);
      key = to.key;
    }
    if (ring.length > 0) rings.push(ring);
  }
  return rings;
}

/**
 * The parts of the border in one cell, each from where a clockwise walk around the cell leaves the
 * region to where it enters. The next cell walks the edge they share the other way, so that its
 * part begins where this one ends.
 */
function segmentsOf(
  field: Field,
  level: number,
  column: number,
  row: number,
): [Crossing, Crossing][] {
  const corners: Point[] = [
    [column, row],
    [column + 1, row],
    [column + 1, row + 1],
    [column, row + 1],
  ];
  const crossings = corners.flatMap((corner, i) => {
    const crossing = crossingOf(field, level, corner, corners[(i + 1) % 4]!);
    return crossing ? [crossing] : [];
  });
  const sum = corners.reduce((total, [x, y]) => total + valueAt(field, x, y), 0);
  // Only where two corners that face each other are inside is there a choice.
  const step = crossings.length === 4 && sum / 4 > level ? 3 : 1;
  return crossings.flatMap((crossing, i) =>
    crossing.leaves ? [[crossing, crossings[(i + step) % crossings.length]!] as const] : [],
  ) as [Crossing, Crossing][];
}

function crossingOf(field: Field, level: number, a: Point, b: Point): Crossing | undefined {
  const [from, to] = [valueAt(field, ...a), valueAt(field, ...b)];
  const leaves = from <= level;
  if (leaves === to <= level) return undefined;
  const [inside, outside] = leaves ? [a, b] : [b, a];
  const low = Math.min(from, to);
  const share = (level - low) / (Math.max(from, to) - low); // 0 where the outside is infinite
  const point: Point = [
    inside[0] + share * (outside[0] - inside[0]),
    inside[1] + share * (outside[1] - inside[1]),
  ];
  const key = [a, b].sort(([x1, y1], [x2, y2]) => x1 - x2 || y1 - y2).join();
  return { key, point, leaves };
}

function valueAt({ columns, rows, at }: Field, column: number, row: number): number {
  const inside = column >= 0 && row >= 0 && column < columns && row < rows;
  return inside ? at(column, row) : Number.POSITIVE_INFINITY;
}
