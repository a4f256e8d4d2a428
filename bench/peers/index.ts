import type { Peer } from './peer.ts';
import { plainJs } from './plain-js.ts';
import { portable, wasm, wasmArena } from './portable.ts';
import { tfjsCpu } from './tfjs-cpu.ts';
import { tfjsWasm } from './tfjs-wasm.ts';

/** Every competitor in this process; torch.ts has one of its own. */
export const peers: readonly Peer[] = [plainJs, wasmArena, wasm, portable, tfjsWasm, tfjsCpu];
