/** Bytes that are no safetensors file, or not the one that was written: refused, at no great cost. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  deserialize,
  GradstepError,
  openFile,
  readFile,
  serialize,
} from '../../lib/safetensors/index.ts';
import { fileOf } from './file-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

function refused(bytes: Uint8Array): string {
  try {
    deserialize(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(GradstepError);
    expect((error as GradstepError).code).toBe('ERR_SAFETENSORS');
    return (error as GradstepError).message;
  }
  throw new Error('it was read');
}

const one = (more: object = {}) => ({ dtype: 'F32', shape: [2], data_offsets: [0, 8], ...more });

describe('hostile bytes', () => {
  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'at least 8 bytes'],
    ['a huge header', new Uint8Array(8).fill(0xff), 'at most 100000000 bytes'],
    ['a header that is not there', fileOf('{}', 0).subarray(0, 9), 'cut off'],
    ['no object', fileOf('[]', 0), "begin with '{'"],
    ['no JSON', fileOf('{"a":', 0), 'JSON in UTF-8'],
    ['no UTF-8', fileOf('{"a"\u0000', 0).fill(0xff, 10, 11), 'JSON in UTF-8'],
    [
      'a name twice',
      fileOf('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":1}', 0),
      "'a' twice",
    ],
    [
      'a field twice',
      fileOf('{"a":{"dtype":"U8","dtype":"F32","shape":[0],"data_offsets":[0,0]}}', 0),
      "'dtype' twice",
    ],
    ['an unknown dtype', fileOf({ a: one({ dtype: 'F4' }) }, 8), "but found 'F4'"],
    ['a prototype as dtype', fileOf({ a: one({ dtype: 'toString' }) }, 8), "'toString'"],
    ['a negative size', fileOf({ a: one({ shape: [-2] }) }, 8), 'integers >= 0'],
    ['a fraction', fileOf({ a: one({ shape: [0.5, 4] }) }, 8), 'integers >= 0'],
    [
      'a product that overflows',
      fileOf({ a: one({ shape: [2 ** 52, 2 ** 52] }) }, 8),
      'can be counted',
    ],
    ['another number of bytes', fileOf({ a: one({ shape: [3] }) }, 8), '12 bytes'],
    [
      'offsets beyond the end',
      fileOf({ a: one({ shape: [4], data_offsets: [0, 16] }) }, 8),
      'within 8 bytes',
    ],
    ['offsets backwards', fileOf({ a: one({ data_offsets: [8, 0] }) }, 8), '[begin, end]'],
    ['no offsets', fileOf({ a: { dtype: 'F32', shape: [2] } }, 8), 'data_offsets'],
    ['a stray field', fileOf({ a: one({ extra: 1 }) }, 8), 'but found extra'],
    ['overlaps', fileOf({ a: one(), b: one({ data_offsets: [4, 12] }) }, 12), 'overlap'],
    ['the same bytes twice', fileOf({ a: one(), b: one() }, 8), 'overlap'],
    ['a gap', fileOf({ a: one(), b: one({ data_offsets: [12, 20] }) }, 20), 'begin where'],
    ['bytes that are nobody’s', fileOf({ a: one() }, 9), 'Expected 8 bytes of data'],
    ['metadata that is no object', fileOf({ __metadata__: [] }, 0), '__metadata__'],
    ['metadata that is no string', fileOf({ __metadata__: { a: 1 } }, 0), 'to be a string'],
    ['a tensor that is none', fileOf({ a: null }, 0), "tensor 'a'"],
    ['a name without an end', fileOf('{"a', 0), 'JSON in UTF-8'],
    ['a name without a value', fileOf('{"a"}', 0), 'JSON in UTF-8'],
    ['a comma too many', fileOf(`{"a":${JSON.stringify(one())},}`, 8), 'JSON in UTF-8'],
    ['no comma', fileOf(`{"a":${JSON.stringify(one())}"b":1}`, 8), 'JSON in UTF-8'],
    ['something behind it', fileOf('{} {}', 0), 'JSON in UTF-8'],
    ['an object in a tensor', fileOf({ a: { shape: {} } }, 0), "no object in that of 'a'"],
    ['lists in lists', fileOf(`{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, 0), "tensor 'a'"],
    ['objects in objects', fileOf(`${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}`, 0), 'no object'],
    ['more dimensions than', fileOf({ a: one({ shape: Array(5000).fill(1) }) }, 8), 'at most 4096'],
  ])('%s', (_, bytes, sentence) => {
    expect(refused(bytes)).toContain(sentence);
  });

  it('of any length get a sentence that can be read', () => {
    const name = 'x'.repeat(100_000);
    expect(refused(fileOf({ [name]: one({ dtype: name }) }, 8)).length).toBeLessThan(1000);
  });

  it('get no more memory and time than what is right in them', () => {
    for (const rest of [`[${'{},'.repeat(2e6)}{}]`, `0,${'"":0,'.repeat(2e6)}"":0`]) {
      const before = process.memoryUsage().heapUsed;
      expect(refused(fileOf(`{"a":${rest}}`, 0))).toMatch(/tensor 'a'|JSON/);
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
    }
  });

  it('files too, with their name, and without memory for what is not there', async () => {
    const path = join(folder, 'claims.safetensors');
    const claim = new Uint8Array(100);
    new DataView(claim.buffer).setBigUint64(0, 90_000_000n, true);
    writeFileSync(path, claim);
    const before = process.memoryUsage().arrayBuffers;
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ERR_SAFETENSORS' });
    await expect(readFile(path)).rejects.toThrow('claims.safetensors: The file is cut off');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
    await expect(readFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_FILE' });
    await expect(openFile(folder)).rejects.toMatchObject({ code: 'ERR_FILE' });
  });

  it('cut off at any byte, or with any byte changed, it is refused or read right', () => {
    const bytes = serialize({ a: { data: Float32Array.of(1, 2) }, b: { data: Uint8Array.of(3) } });
    for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length));
    fc.assert(
      fc.property(fc.nat(bytes.length - 4), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = bytes.slice();
        changed[at]! ^= flip;
        try {
          const { tensors } = deserialize(changed);
          for (const { data, shape } of Object.values(tensors)) {
            expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
          }
        } catch (error) {
          expect((error as GradstepError).code).toBe('ERR_SAFETENSORS');
        }
      }),
      { numRuns: 1000, seed: 7 },
    );
  });
});
