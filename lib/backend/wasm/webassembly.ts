/** What of WebAssembly's own objects is used here; Node's types have none without the DOM's. */

/** Bytes that modules share with JavaScript; shared memory moves for nobody when it grows. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

interface MemoryDescriptor {
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

interface WebAssemblyObject {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: Memory } },
  ) => { readonly exports: unknown };
  readonly Memory: new (descriptor: MemoryDescriptor) => Memory;
}

/** Bytes of a page: memory grows by whole ones. */
export const PAGE = 65536;

/** @throws {Error} Where there is none, as under `--jitless`. */
export function webAssembly(): WebAssemblyObject {
  const found = (globalThis as { WebAssembly?: WebAssemblyObject }).WebAssembly;
  if (found === undefined) throw new Error('There is no WebAssembly here');
  return found;
}
