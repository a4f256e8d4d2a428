/** Every optimizer finds the minimum of every standard function, on both backends. */

import { describe, expect, it, test } from 'vitest';
import { follow } from '../../examples/paths/follow.ts';
import { type FunctionName, standardFunctions } from '../../examples/paths/functions.ts';
import { recipes } from '../../examples/paths/recipes.ts';
import { onEachBackend } from '../support/helpers.ts';
import { optimizerCases } from './optimizer-cases.ts';

const functions = Object.entries(standardFunctions);
const names = Object.keys(standardFunctions) as FunctionName[];

const distance = ([x, y]: readonly [number, number], [a, b]: readonly [number, number]) =>
  Math.hypot(x - a, y - b);

describe.each(functions)('%s', (_name, { value, gradient, start, minimum, least }) => {
  const points = [start, minimum, [0.7, -1.3], [-2.1, 0.4], [1.9, 2.2]] as const;

  it.each(points)('has the gradient that finite differences give at (%f, %f)', (x, y) => {
    const h = 1e-5;
    const [dx, dy] = gradient(x, y);
    const scale = 1 + Math.hypot(dx, dy);
    expect((value(x + h, y) - value(x - h, y)) / (2 * h) / scale).toBeCloseTo(dx / scale, 7);
    expect((value(x, y + h) - value(x, y - h)) / (2 * h) / scale).toBeCloseTo(dy / scale, 7);
  });

  it('is least at its minimum, and the start is far from there', () => {
    expect(value(...minimum)).toBeCloseTo(least, 12);
    expect(distance(gradient(...minimum), [0, 0])).toBeLessThan(1e-12);
    for (let angle = 0; angle < 2 * Math.PI; angle += Math.PI / 8) {
      for (const radius of [1e-3, 0.1, 0.5]) {
        const [x, y] = [radius * Math.cos(angle), radius * Math.sin(angle)];
        expect(value(minimum[0] + x, minimum[1] + y)).toBeGreaterThan(least);
      }
    }
    expect(distance(start, minimum)).toBeGreaterThan(1.5);
    expect(value(...start) - least).toBeGreaterThan(2);
  });
});

test('every optimizer has a recipe', () => {
  const made = recipes.map(({ make, on }) => make([], on.sphere).constructor.name);
  expect([...new Set(made)].sort()).toEqual(optimizerCases.map(({ name }) => name).sort());
});

onEachBackend(() => {
  describe.each(recipes.map((recipe) => [recipe.title, recipe] as const))('%s', (_, recipe) => {
    it.each(names)('finds the minimum of %s', (name) => {
      const { minimum, least, value, steps } = standardFunctions[name];
      const path = follow(recipe, name);
      expect(path).toHaveLength(steps + 1);
      const end = path.at(-1)!;
      expect(distance(end, minimum)).toBeLessThan(5e-4);
      expect(value(...end) - least).toBeLessThan(1e-6);
    });
  });
});
