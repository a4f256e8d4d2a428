/** The loops that steps are measured against do what they are said to do, to every value. */

import { isas } from 'gradstep';
import { describe, expect, it } from 'vitest';
import { type Floats, loadLimits } from '../../bench/limits.ts';
import { bits } from '../support/helpers.ts';

const limits = loadLimits();
const ALL = 0xffffffff;
const GUARD = 20; // values around the array, which must stay

/** Arrays of different bits, each inside a larger one. */
function makeArrays(count: number, length: number): Floats[] {
  return Array.from({ length: count }, (_, k) => {
    const room = new Float32Array(new SharedArrayBuffer(4 * (length + 2 * GUARD)));
    const words = new Uint32Array(room.buffer);
    for (let i = 0; i < words.length; i++) words[i] = ((i + 1) * 2654435761 + k * 97) >>> 2;
    return room.subarray(GUARD, GUARD + length);
  });
}

const roomOf = (array: Floats) => new Float32Array(array.buffer);

describe.each([...isas(), 'plain'])('%s', (isa) => {
  describe.each([1, 2, 3])('%i threads', (threads) => {
    it.each([3, 4])('stream reads and writes every value of %i arrays', (count) => {
      for (const length of [0, 1, 15, 16, 17, 63, 64, 100, 1000, 4099]) {
        const arrays = makeArrays(count, length);
        const before = arrays.map((array) => bits(roomOf(array)));
        // Two steps and the one before them: exchanging bits three times is exchanging them once.
        expect(limits.stream(isa, threads, 2, arrays, ALL)).toBeGreaterThanOrEqual(0);
        arrays.forEach((array, k) => {
          const expected = before[k]!.map((word, i) => {
            const inside = i >= GUARD && i < GUARD + length;
            return k === 1 || !inside ? word : (word ^ before[1]![i]!) >>> 0;
          });
          expect(bits(roomOf(array)), `array ${k} of length ${length}`).toEqual(expected);
        });
      }
    });

    it('stream with no mask changes nothing', () => {
      const arrays = makeArrays(4, 1000);
      const before = arrays.map(bits);
      limits.stream(isa, threads, 3, arrays, 0);
      expect(arrays.map(bits)).toEqual(before);
    });

    it('divide does a root and a quotient for every value', () => {
      const lanes = { avx512: 16, avx2: 8 }[isa] ?? 4;
      for (const values of [1, 16, 100, 1000, 4096]) {
        // Each thread counts its own vectors from 1; parts are cut at 16 values.
        const lines = Math.ceil(values / 16);
        const cut = (part: number) => Math.min(values, Math.floor((lines * part) / threads) * 16);
        let expected = 0;
        for (let part = 0; part < threads; part++) {
          const vectors = Math.ceil((cut(part + 1) - cut(part)) / lanes);
          for (let x = 1; x <= vectors; x++) expected += lanes * (Math.sqrt(x) + 1 / x);
        }
        const [time, sum] = limits.divide(isa, threads, 1, values);
        expect(time).toBeGreaterThanOrEqual(0);
        expect(sum / expected).toBeCloseTo(1, 4);
      }
    });
  });
});

describe('what the addon refuses', () => {
  const arrays = makeArrays(3, 10);

  it.each<[string, () => unknown]>([
    [
      'arrays of different lengths',
      () => limits.stream('plain', 1, 1, [...arrays, arrays[0]!.subarray(1)], 0),
    ],
    ['too few arrays', () => limits.stream('plain', 1, 1, arrays.slice(1), 0)],
    ['doubles', () => limits.stream('plain', 1, 1, [new Float64Array(10), ...arrays] as never, 0)],
    ['no threads', () => limits.divide('plain', 0, 1, 10)],
    ['no steps', () => limits.divide('plain', 1, 0, 10)],
    ['no instruction set', () => limits.divide(1 as never, 1, 1, 10)],
  ])('%s', (_, call) => {
    expect(call).toThrow(TypeError);
  });
});
