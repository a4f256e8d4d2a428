/** What the engine that runs the tests can run of WebAssembly. */

import { commonSpace, kernelsOf } from '../../lib/backend/wasm/engine.ts';
import { BLOCK } from '../../lib/backend/wasm/space.ts';
import { backend, isas, setBackend } from '../../lib/index.ts';

/** The instruction sets of the wasm backend here, best first; Node.js 20 knows no relaxed ones. */
export const WASM_ISAS: readonly string[] = (() => {
  const before = backend();
  setBackend('wasm');
  const found = isas();
  setBackend(before);
  return found;
})();

/** fma by the kernels in force, block by block. */
export function wasmFma(a: Float32Array, b: Float32Array, c: Float32Array): Float32Array {
  const space = commonSpace();
  const out = new Float32Array(a.length);
  for (let from = 0; from < a.length; from += BLOCK) {
    const end = Math.min(a.length, from + BLOCK);
    for (const [k, array] of [a, b, c].entries()) space.scratch[k]!.set(array.subarray(from, end));
    const [x, y, z, sum] = [0, 1, 2, 3].map((k) => space.scratchOf(k)) as [
      number,
      number,
      number,
      number,
    ];
    kernelsOf(space).fma(x, y, z, sum, end - from);
    out.set(space.scratch[3]!.subarray(0, end - from), from);
  }
  return out;
}
