/**
 * Which bytes belong to whom, as `native/core/memory_map.h`. JavaScript knows no addresses, so
 * every buffer gets a made-up one.
 */

import { bufferOf, byteOffsetOf } from '../../arrays.ts';

export const NOBODY = -2;
/** Memory of the optimizer itself; other owners are slot numbers. */
export const STATE = -1;

const bases = new WeakMap<ArrayBufferLike, number>();
let nextBase = 0;

function addressOf(view: ArrayBufferView<ArrayBufferLike>): number {
  const buffer = bufferOf(view);
  let base = bases.get(buffer);
  if (base === undefined) {
    base = nextBase;
    const { byteLength, maxByteLength = byteLength } = buffer as {
      maxByteLength?: number;
    } & typeof buffer;
    nextBase += maxByteLength + 1;
    bases.set(buffer, base);
  }
  return base + byteOffsetOf(view);
}

/** Disjoint ranges, sorted by address. */
export class MemoryMap {
  readonly #begins: number[] = [];
  readonly #ends: number[] = [];
  readonly #owners: number[] = [];

  /** How many ranges begin before `address`. */
  #before(address: number): number {
    let low = 0;
    let high = this.#begins.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#begins[middle]! < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Who holds a part of the array's memory, or NOBODY. */
  holder(view: ArrayBufferView<ArrayBufferLike>, bytes: number): number {
    if (bytes === 0) return NOBODY;
    const begin = addressOf(view);
    const next = this.#before(begin);
    if (next < this.#begins.length && this.#begins[next]! < begin + bytes)
      return this.#owners[next]!;
    if (next > 0 && this.#ends[next - 1]! > begin) return this.#owners[next - 1]!;
    return NOBODY;
  }

  /** Claims the array's memory; returns NOBODY, or who already holds a part of it. */
  claim(view: ArrayBufferView<ArrayBufferLike>, bytes: number, owner: number): number {
    const other = this.holder(view, bytes);
    if (other === NOBODY && bytes > 0) {
      const begin = addressOf(view);
      const at = this.#before(begin);
      this.#begins.splice(at, 0, begin);
      this.#ends.splice(at, 0, begin + bytes);
      this.#owners.splice(at, 0, owner);
    }
    return other;
  }

  /** Gives up what `owner` holds from `address` on, the address of its array when it claimed. */
  release(address: number, owner: number): void {
    const at = this.#before(address);
    if (this.#begins[at] !== address || this.#owners[at] !== owner) return;
    for (const column of [this.#begins, this.#ends, this.#owners]) column.splice(at, 1);
  }
}

export { addressOf };
