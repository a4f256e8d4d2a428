/** What the engine that runs the tests can run of WebAssembly. */

import { backend, isas, setBackend } from '../../lib/index.ts';

/** The instruction sets of the wasm backend here, best first; Node.js 20 knows no relaxed ones. */
export const WASM_ISAS: readonly string[] = (() => {
  const before = backend();
  setBackend('wasm');
  const found = isas();
  setBackend(before);
  return found;
})();
