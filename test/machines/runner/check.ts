/** Replays every golden case; they are part of the bundle, so that a runner is one file. */

import { differences, type GoldenFile, replay } from '../../optimizers/golden.ts';

/** Filled in by esbuild: what goldenFiles() gives. */
declare const GOLDENS: readonly GoldenFile[];

/** How many cases were replayed on the backend in force, and what was wrong. */
export interface Checked {
  readonly cases: number;
  readonly wrong: readonly string[];
}

/** Replays all cases, or so many of them, evenly spread over the optimizers. */
export function checkGoldens(limit = Infinity): Checked {
  const all = GOLDENS.flatMap(({ optimizer, cases }) =>
    cases.map((golden) => ({ optimizer, golden })),
  );
  const every = Math.ceil(all.length / limit);
  const chosen = all.filter((_, i) => i % Math.max(every, 1) === 0);
  const lines = chosen.map(({ optimizer, golden }) => {
    const make = (n: number) => ({ data: new Float32Array(n), grad: new Float32Array(n) });
    const [first] = differences(golden, replay(optimizer, golden, make));
    return first === undefined ? '' : `${optimizer}: ${golden.name}: ${first}`;
  });
  return { cases: lines.length, wrong: lines.filter((line) => line !== '') };
}

/** `N cases, 0 wrong`, and the first of those that are. */
export function told({ cases, wrong }: Checked): string {
  return [`${cases} cases, ${wrong.length} wrong`, ...wrong.slice(0, 5)].join('\n  ');
}
