import type { Peer } from './peer.ts';
import { openTfjs } from './tfjs.ts';

const name = 'tfjs wasm';

/** TensorFlow.js in WebAssembly with SIMD; in Node.js it has one thread. */
export const tfjsWasm: Peer = {
  name,
  most: { values: 3e7, tensors: 1_000 },
  open: () => openTfjs(name, 'wasm'),
};
