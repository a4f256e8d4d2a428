/** The wasm backend: the native kernels as WebAssembly, under the core in TypeScript. */

import type { Placement } from '../../memory/slab.ts';
import type { Backend } from '../backend.ts';
import { PortableCore } from '../portable/core.ts';
import { gradientFunctions } from '../portable/norm.ts';
import { findRule } from '../portable/portable.ts';
import { PortableSequence } from '../portable/sequence.ts';
import { portableRule } from '../portable/treated.ts';
import { isa, isas, setIsa, start } from './engine.ts';
import { kernelArithmetic } from './kernel-arithmetic.ts';
import { kernelRule } from './kernel-rule.ts';
import { Space, spaceOf } from './space.ts';

/** From how many bytes on memory is worth a space of its own; what is smaller is copied. */
const LARGE = 64 * 1024;

/** Bytes of a page of the system, on whose border every memory begins. */
const SYSTEM_PAGE = 4096;

/** Memory that is used together, in one space: that of an array, or a new one. */
class Home implements Placement {
  readonly longArray = Number.POSITIVE_INFINITY; // unaligned loads cost little here
  #space: Space | undefined;
  #isTried = false;

  settleNear(array: Parameters<typeof spaceOf>[0]): void {
    this.#space ??= spaceOf(array);
  }

  allocate(bytes: number): ReturnType<Space['allocate']> {
    if (this.#space === undefined) {
      if (bytes < LARGE || this.#isTried) return undefined;
      this.#isTried = true;
      this.#space = Space.growing();
    }
    return this.#space?.allocate(bytes);
  }

  residue(bytes: Uint8Array<ArrayBufferLike>): number {
    return spaceOf(bytes as never) === undefined ? 0 : bytes.byteOffset % SYSTEM_PAGE;
  }

  adviseHugePages(): void {}

  giveBack(bytes: Uint8Array<ArrayBufferLike>): void {
    spaceOf(bytes as never)?.giveBack(bytes);
  }
}

/**
 * The backend, with everything compiled that it needs.
 * @throws {Error} Where WebAssembly is missing, forbidden, or without SIMD.
 */
export function wasmBackend(): Backend {
  start();
  return wasm;
}

const wasm: Backend = {
  ...gradientFunctions(kernelArithmetic),
  name: 'wasm',
  isas,
  isa,
  setIsa,
  threads: () => 1,
  setThreads: () => {},
  longArray: Number.POSITIVE_INFINITY,
  residue: () => 0,
  adviseHugePages: () => {},
  giveBack: () => {},
  home: () => new Home(),
  sequence: (cores, follows) => new PortableSequence(cores as readonly PortableCore[], follows),
  open: (...layout) => {
    const rule = findRule(...layout);
    // Rules that see shapes have no kernels here yet, but the same bits.
    const stepping = rule.stateLength === undefined ? kernelRule(rule) : portableRule(rule);
    return new PortableCore(stepping, kernelArithmetic);
  },
};
