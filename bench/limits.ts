/** What bounds a step, from an addon of the benchmark's own: native/bench/limits.cc. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './root.ts';

export type Floats = Float32Array<ArrayBufferLike>;

export interface Limits {
  /**
   * Reads and writes in place what a step reads and writes: the gradient is read, data and states
   * are read and written, and the gradient's bits under `mask` exchanged into them. A mask of 0
   * changes nothing, but writes everything.
   *
   * @param arrays Data, gradient, and one or two states, of one length.
   * @returns Nanoseconds of so many steps; one more comes first and does not count.
   */
  stream(
    isa: string,
    threads: number,
    steps: number,
    arrays: readonly Floats[],
    mask: number,
  ): number;
  /**
   * An exact root and an exact division for each of so many values, from no memory.
   * @returns Nanoseconds as above, and the sum of one step's results.
   */
  divide(isa: string, threads: number, steps: number, values: number): [time: number, sum: number];
}

/** @throws {Error} with the command that builds it, when it is not built. */
export function loadLimits(): Limits {
  const file = join(root, 'build-bench', 'Release', 'limits.node');
  if (!existsSync(file)) throw new Error(`Expected ${file}: npm run build:limits makes it`);
  return createRequire(import.meta.url)(file) as Limits;
}
