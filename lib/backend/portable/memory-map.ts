/**
 * Which bytes belong to whom, as `native/core/memory_map.h`. JavaScript knows no addresses, so
 * ranges are kept per buffer. (Two SharedArrayBuffer objects over one memory, as another thread
 * sends them, therefore look like two; the native backend sees through that.)
 */

import { type Stamps, stamps } from '../../support/stamps.ts';
import { bufferOf, byteOffsetOf, type Floats, lengthOf } from '../../support/typed-arrays.ts';

export const NOBODY = -2;
/** Memory of the optimizer itself; other owners are slot numbers. */
export const STATE = -1;

/** By buffer: the memory that it is a view of, where several are. */
export const sameMemory: Stamps<object> = stamps();

/** A part of a buffer, or of a memory that has several, in bytes. */
export interface Range {
  readonly buffer: object;
  readonly begin: number;
  readonly end: number;
}

/** The range of a view's first bytes. */
export function rangeOf(view: ArrayBufferView<ArrayBufferLike>, bytes: number): Range {
  const begin = byteOffsetOf(view);
  const buffer = bufferOf(view);
  return { buffer: sameMemory.get(buffer) ?? buffer, begin, end: begin + bytes };
}

/** The range of an array of floats. */
export function wholeRange(array: Floats): Range {
  return rangeOf(array, lengthOf(array) * 4);
}

interface Claim extends Range {
  readonly owner: number;
}

/** Disjoint ranges, sorted within each buffer. */
export class MemoryMap {
  readonly #claims = new WeakMap<object, Claim[]>();

  /** Who holds a part of the range, or NOBODY. */
  holder({ buffer, begin, end }: Range): number {
    const claims = this.#claims.get(buffer);
    if (claims === undefined || begin === end) return NOBODY;
    const next = before(claims, begin);
    if (next < claims.length && claims[next]!.begin < end) return claims[next]!.owner;
    if (next > 0 && claims[next - 1]!.end > begin) return claims[next - 1]!.owner;
    return NOBODY;
  }

  /** Claims the range; returns NOBODY, or who already holds a part of it. */
  claim(range: Range, owner: number): number {
    const other = this.holder(range);
    if (other === NOBODY && range.begin < range.end) {
      const claims = this.#claims.get(range.buffer) ?? [];
      claims.splice(before(claims, range.begin), 0, { ...range, owner });
      this.#claims.set(range.buffer, claims);
    }
    return other;
  }

  /** Claims ranges for owners from `first` on; or none, and tells for whom, and who is in the way. */
  claimAll(ranges: readonly Range[], first: number): { owner: number; other: number } | undefined {
    for (const [i, range] of ranges.entries()) {
      const other = this.claim(range, first + i);
      if (other === NOBODY) continue;
      for (let j = 0; j < i; j++) this.release(ranges[j]!, first + j);
      return { owner: first + i, other };
    }
    return undefined;
  }

  /** Lets what `owner` claimed there be at least so long; false if somebody is in the way. */
  extend(range: Range, owner: number): boolean {
    const claims = this.#claims.get(range.buffer) ?? [];
    const at = before(claims, range.begin);
    const [claim, next] = [claims[at], claims[at + 1]];
    if (claim?.begin !== range.begin || claim.owner !== owner) return false;
    if (next !== undefined && next.begin < range.end) return false;
    claims[at] = { ...claim, end: Math.max(claim.end, range.end) };
    return true;
  }

  /** Gives up what `owner` claimed as this range; false if there is no such claim. */
  release({ buffer, begin }: Range, owner: number): boolean {
    const claims = this.#claims.get(buffer) ?? [];
    const at = before(claims, begin);
    if (claims[at]?.begin !== begin || claims[at].owner !== owner) return false;
    claims.splice(at, 1);
    return true;
  }

  /** Slots have other numbers, or NOBODY's; in these buffers are all whose number changes. */
  renumber(buffers: Iterable<object>, numbers: readonly number[]): void {
    for (const buffer of buffers) {
      const claims = this.#claims.get(buffer) ?? [];
      const numberOf = ({ owner }: Claim) => (owner < 0 ? owner : numbers[owner]!);
      const stay = claims.filter((claim) => numberOf(claim) !== NOBODY);
      this.#claims.set(
        buffer,
        stay.map((claim) => ({ ...claim, owner: numberOf(claim) })),
      );
    }
  }
}

/** How many claims begin before `address`. */
function before(claims: readonly Claim[], address: number): number {
  let low = 0;
  let high = claims.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (claims[middle]!.begin < address) low = middle + 1;
    else high = middle;
  }
  return low;
}
