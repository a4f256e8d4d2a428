/** gradstep without its native addon: the same bits in WebAssembly, and in TypeScript alone. */

import { type BackendName, backend, setBackend } from 'gradstep';
import { subject } from '../measure.ts';
import { type Layout, makeOptimizer, makeParameters } from '../model.ts';
import type { Peer } from './peer.ts';

function peer(name: string, on: BackendName, layout: Layout, values: number): Peer {
  return {
    name,
    most: { values, tensors: 10_000 },
    async open() {
      return (optimizer, lengths) => {
        const before = backend();
        setBackend(on);
        const made = makeOptimizer(optimizer, makeParameters(lengths, layout));
        setBackend(before);
        return subject(
          name,
          () => made.step(),
          () => made.dispose(),
        );
      };
    },
  };
}

export const portable: Peer = peer('gradstep/portable', 'portable', 'separate', 1.1e7);
/** Where no array is copied, and where those of users are. */
export const wasmArena: Peer = peer('gradstep wasm, arena', 'wasm', 'arena', 1.1e8);
export const wasm: Peer = peer('gradstep wasm, arrays', 'wasm', 'separate', 1.1e8);
