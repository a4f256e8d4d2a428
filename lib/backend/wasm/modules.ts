/**
 * The kernels as modules of WebAssembly, one for each of its instruction sets; `native/wasm/` is
 * their source. An engine compiles what it can run, and refuses the rest.
 */

import { base64 as relaxedSimd } from './modules/wasm-relaxed-simd.ts';
import { base64 as simd128 } from './modules/wasm-simd128.ts';
import { type Memory, PAGE, webAssembly } from './webassembly.ts';

/** What a module exports (`native/wasm/module.cc`); addresses are bytes of its memory. */
export interface Kernels {
  /** Gives 0 where there is none of this name, which ends with a 0. */
  findRule(name: number): number;
  /** Gives the kernel, or 0 where a scalar does not fit into float32. */
  prepare(rule: number, struct: number, record: number, scalars: number): number;
  step(
    kernel: number,
    scalars: number,
    sign: number,
    data: number,
    grad: number,
    state0: number,
    state1: number,
    state2: number,
    state3: number,
    length: number,
  ): void;
  treat(
    scale: number,
    bound: number,
    coefficient: number,
    grad: number,
    out: number,
    count: number,
  ): void;
  reduce(reduction: number, x: number, length: number, scale: number, bound: number): number;
  fma(a: number, b: number, c: number, out: number, count: number): void;
}

/** A module that this engine has compiled. */
export interface Code {
  readonly isa: string;
  /** For a memory of the other kind it has to be compiled again. */
  readonly shared: boolean;
  readonly module: object;
}

const MODULES: Readonly<Record<string, string>> = {
  'wasm-relaxed-simd': relaxedSimd,
  'wasm-simd128': simd128,
};

/** The instruction sets there are, best first. */
export const ISAS: readonly string[] = Object.freeze(Object.keys(MODULES));

/** Before the flags of the memory that a module imports: its name, and that it is a memory. */
const MEMORY = [...'memory'].map((letter) => letter.charCodeAt(0)).concat(2);
const HAS_MAXIMUM = 1;
const IS_SHARED = 2;

function bytesOf(isa: string, shared: boolean): Uint8Array {
  const text = atob(MODULES[isa]!);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  let at = 0;
  while (MEMORY.some((byte, i) => bytes[at + i] !== byte)) at += 1;
  bytes[at + MEMORY.length] = HAS_MAXIMUM | (shared ? IS_SHARED : 0);
  return bytes;
}

/** @throws {Error} Where this engine does not know the instructions, or compiles nothing. */
export function compile(isa: string, shared: boolean): Code {
  const { Module } = webAssembly();
  return { isa, shared, module: new Module(bytesOf(isa, shared)) };
}

/** The kernels over a memory of the kind that they were compiled for. */
export function instantiate({ module }: Code, memory: Memory): Kernels {
  const { Instance } = webAssembly();
  return new Instance(module, { env: { memory } }).exports as Kernels;
}

/**
 * Whether this code gives fma's bits: relaxed instructions may round twice, and an engine keeps to
 * its choice as long as it runs.
 */
export function isExact(code: Code): boolean {
  const { Memory: NewMemory } = webAssembly();
  const memory = new NewMemory({ initial: 2, maximum: 2, shared: code.shared });
  const kernels = instantiate(code, memory);
  const floats = new Float32Array(memory.buffer, PAGE, 16);
  const x = 1 + 2 ** -12;
  floats.fill(x, 0, 8).fill(-1 - 2 ** -11, 8, 12); // x * x is 1 + 2^-11 + 2^-24
  kernels.fma(PAGE, PAGE + 16, PAGE + 32, PAGE + 48, 4);
  return floats.subarray(12).every((sum) => sum === 2 ** -24);
}
