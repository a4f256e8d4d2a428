/** The picture of the optimizers' paths: its contour lines, and that it is of today's code. */

import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { type Field, regionBelow } from '../../examples/paths/contours.ts';
import type { Point } from '../../examples/paths/functions.ts';
import { recipes } from '../../examples/paths/recipes.ts';

/** Holes count against what they lie in. */
function area(rings: readonly Point[][]): number {
  let sum = 0;
  for (const ring of rings) {
    ring.forEach(([x, y], i) => {
      const [u, v] = ring[(i + 1) % ring.length]!;
      sum += (x * v - u * y) / 2;
    });
  }
  return Math.abs(sum);
}

const square = (size: number, at: Field['at']): Field => ({ columns: size, rows: size, at });

describe('contour lines', () => {
  const radius = (x: number, y: number) => Math.hypot(x - 20, y - 20);

  it('surround the region that is low', () => {
    const rings = regionBelow(square(41, radius), 10);
    expect(rings).toHaveLength(1);
    for (const [x, y] of rings[0]!) expect(radius(x, y)).toBeCloseTo(10, 1);
    expect(area(rings)).toBeGreaterThan(Math.PI * 100 * 0.99);
    expect(area(rings)).toBeLessThan(Math.PI * 100);
  });

  it('go around holes the other way', () => {
    const rings = regionBelow(
      square(41, (x, y) => Math.abs(radius(x, y) - 10)),
      5,
    );
    expect(rings).toHaveLength(2);
    expect(area(rings) / (Math.PI * (15 ** 2 - 5 ** 2))).toBeCloseTo(1, 1);
  });

  it('close along the edge of the field', () => {
    expect(
      area(
        regionBelow(
          square(5, () => 0),
          1,
        ),
      ),
    ).toBe(16);
    expect(
      area(
        regionBelow(
          square(5, (x) => x),
          2.5,
        ),
      ),
    ).toBe(10);
    expect(
      regionBelow(
        square(5, () => 2),
        1,
      ),
    ).toEqual([]);
  });

  it('keep low corners that face each other apart, or join them, by the middle', () => {
    const corners = (high: number) => square(2, (x, y) => (x === y ? 0 : high));
    expect(regionBelow(corners(10), 1)).toHaveLength(2);
    expect(regionBelow(corners(1.5), 1)).toHaveLength(1);
  });
});

describe('docs/optimizers.svg', () => {
  const committed = readFileSync(new URL('../../docs/optimizers.svg', import.meta.url), 'utf8');

  // `npm test` has built what the script imports.
  test('is what `npm run gallery` draws', async () => {
    const script = new URL('../../scripts/gallery/optimizers.mjs', import.meta.url).href;
    const { optimizerPaths } = await import(script);
    expect(optimizerPaths() === committed).toBe(true);
  });

  test('has a panel for every recipe, with a path on each function, and is small', () => {
    for (const { title } of recipes) expect(committed).toContain(`>${title}</text>`);
    expect(committed.match(/<polyline/g)).toHaveLength(5 * recipes.length);
    expect(committed).not.toMatch(/NaN|Infinity|undefined/);
    expect(committed.length).toBeLessThan(450_000);
  });
});
