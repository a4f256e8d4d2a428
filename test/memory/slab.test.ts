/** Slabs: where memory comes from and goes to, against a list of what is in use. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Block, type Placement, SlabAllocator } from '../../lib/memory/slab.ts';
import { byteOffsetOf } from '../../lib/support/typed-arrays.ts';

type Bytes = Uint8Array<ArrayBufferLike>;

/** A place where buffers begin so far past a page, and whom it tells what. */
function setUp(past = 0) {
  const claimed = new Set<ArrayBufferLike>();
  const given: Bytes[] = [];
  const placement: Placement = {
    longArray: 256,
    residue: () => past,
    adviseHugePages: () => {},
    giveBack: (bytes) => void given.push(bytes),
  };
  const claims = {
    claimState: ({ buffer }: Bytes) => void claimed.add(buffer),
    releaseState: ({ buffer }: Bytes) => void expect(claimed.delete(buffer)).toBe(true),
  };
  return { claimed, given, slabs: new SlabAllocator(placement, claims) };
}

const arrayOf = ({ memory, begin }: Block, length: number) =>
  memory.subarray(begin, begin + length);

it('gives zeros that nobody has, in any order of taking and freeing', () => {
  const call = fc.record({ free: fc.boolean(), length: fc.nat(40_000), held: fc.boolean() });
  fc.assert(
    fc.property(fc.constantFrom(0, 16, 48, 4080), fc.array(call), (past, calls) => {
      const { claimed, given, slabs } = setUp(past);
      const live: { block: Block; length: number; held: boolean }[] = [];
      const held = new Set<ArrayBufferLike>();
      for (const { free, length, held: isHeld } of calls) {
        if (free && live.length > 0) {
          const [gone] = live.splice(length % live.length, 1);
          if (gone!.held) held.add(gone!.block.memory.buffer);
          slabs.free(gone!.block, gone!.length, gone!.held);
          continue;
        }
        const block = slabs.block(length);
        const array = arrayOf(block, length);
        expect((past + byteOffsetOf(array)) % 64).toBe(0);
        expect(array.every((value) => value === 0)).toBe(true);
        live.push({ block, length, held: isHeld });
        array.fill(live.length);
      }
      for (const { block, length } of live) {
        expect(new Set(arrayOf(block, length)).size).toBeLessThan(2); // nobody wrote into it
        if (length > 0) expect(claimed).toContain(block.memory.buffer);
      }
      const used = new Set(
        live.filter(({ length }) => length > 0).map((l) => l.block.memory.buffer),
      );
      expect(claimed.size).toBeLessThanOrEqual(used.size + 1); // an empty array may have one
      for (const bytes of given) {
        const inUse = live.some(({ block, length }) => {
          const { buffer, byteOffset, byteLength } = arrayOf(block, length);
          return (
            buffer === bytes.buffer &&
            byteOffset < bytes.byteOffset + bytes.byteLength &&
            bytes.byteOffset < byteOffset + byteLength
          );
        });
        expect(inUse).toBe(false);
      }
    }),
  );
});

it('gives a slab back when all of it has been freed, unless a user may hold a part', () => {
  for (const isHeld of [false, true]) {
    const { claimed, given, slabs } = setUp();
    const blocks = [96, 96].map((length) => slabs.block(length, 0, 192));
    expect(blocks[0]!.memory).toBe(blocks[1]!.memory);
    slabs.free(blocks[0]!, 96, isHeld);
    expect([claimed.size, given.length]).toEqual([1, 0]);
    slabs.free(blocks[1]!, 96, false);
    expect([claimed.size, given.length]).toEqual([0, isHeld ? 0 : 1]);
    slabs.block(100);
    expect(claimed.size).toBe(1);
  }
});

it('grows by what is in use, not by what there once was', () => {
  const { claimed, slabs } = setUp();
  let block = slabs.block(1000);
  for (let i = 0; i < 1000; i++) {
    const next = slabs.block(1000);
    slabs.free(block, 1000, false);
    block = next;
    expect([...claimed].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(20_000);
  }
});

it('takes back what was given since a mark, and zeros it', () => {
  const { claimed, slabs } = setUp();
  const first = slabs.float32(10);
  first.fill(1);
  const mark = slabs.mark();
  for (const length of [100, 1000, 10_000]) slabs.float32(length).fill(2);
  slabs.takeBack(mark);
  expect(claimed.size).toBe(2);
  const again = slabs.float32(10_000);
  expect(claimed.size).toBe(2);
  expect(again.every((value) => value === 0)).toBe(true);
  expect(first.every((value) => value === 1)).toBe(true);
});
