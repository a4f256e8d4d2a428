/** Other libraries as sources of gradients: examples/gradient-sources. */

import { expect, it } from 'vitest';
import { fitLine } from '../../examples/gradient-sources/jax-js.ts';
import { learnXor } from '../../examples/gradient-sources/toygrad.ts';

it('toygrad learns exclusive or', () => {
  // It begins with random numbers, and a few of those lead nowhere.
  const runs = [1, 2, 3, 4, 5].map(() => learnXor(600).join(''));
  expect(runs).toContain('0110');
});

it('jax-js fits a line', async () => {
  const { losses, line } = await fitLine(300);
  expect(losses[0]).toBeGreaterThan(3);
  expect(losses.at(-1)).toBeLessThan(1e-6);
  expect(line[0]).toBeCloseTo(3, 2);
  expect(line[1]).toBeCloseTo(-1, 2);
});
