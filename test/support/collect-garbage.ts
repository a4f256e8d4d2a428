/** Runs the collector, also in a test that was started without `--expose-gc`. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

export const collectGarbage = runInNewContext('gc') as () => void;

/** Runs it until what nobody holds is finalized, and fills memory that was freed. */
export async function collectAll(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (let k = 0; k < 20; k++) new Float64Array(new SharedArrayBuffer(65_600)).fill(Number.NaN);
  }
}
