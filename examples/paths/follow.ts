/** Runs a recipe on a function. */

import { cosine, Parameter, schedule } from 'gradstep';
import { type FunctionName, type Point, standardFunctions } from './functions.ts';
import type { Recipe } from './recipes.ts';

/** Where the run begins, and where it is after each step. The lr falls to 0 as a cosine. */
export function follow({ make, on }: Recipe, name: FunctionName): Point[] {
  const { start, gradient, steps } = standardFunctions[name];
  const point = new Parameter(start);
  const optimizer = make([point], on[name]);
  try {
    const scheduler = schedule(optimizer, { lr: cosine({ from: on[name].lr, to: 0, steps }) });
    const path: Point[] = [[...start]];
    while (path.length <= steps) {
      const [x, y] = path.at(-1)!;
      point.ensureGrad().set(gradient(x, y));
      optimizer.step();
      scheduler.step();
      path.push([point.data[0]!, point.data[1]!]);
    }
    return path;
  } finally {
    optimizer.dispose();
  }
}
