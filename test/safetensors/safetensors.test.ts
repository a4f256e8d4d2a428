/** Safetensors in memory and as files: what is written is read, and what is wrong is refused. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  type TensorInput,
  writeFile,
} from '../../lib/safetensors/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with this header and so many bytes of data. */
function fileOf(header: string | object, dataLength: number, padding = ''): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text + padding);
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

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

describe('written and read again', () => {
  const tensors: Record<string, TensorInput> = {
    weight: {
      data: Float32Array.of(1, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 6),
      shape: [2, 3],
    },
    steps: { data: BigInt64Array.of(2n ** 62n, -1n), shape: [2, 1] },
    doubles: { data: Float64Array.of(Math.PI) },
    mask: { data: Uint8Array.of(1, 0, 1), dtype: 'BOOL' },
    scalar: { data: Int32Array.of(7), shape: [] },
    nothing: { data: new Float32Array(0), shape: [0, 5] },
    halves: { data: Uint16Array.of(0x3f80), dtype: 'BF16' },
    'ünï "quoted"\n': { data: Int8Array.of(-128) },
    ['__proto__']: { data: Uint32Array.of(9) },
  };
  const metadata = { format: 'pt', note: 'ä\u0000"' };

  function check(read: ReturnType<typeof deserialize>) {
    expect(read.metadata).toEqual(metadata);
    expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, { data, shape, dtype }] of Object.entries(tensors)) {
      const back = Object.getOwnPropertyDescriptor(read.tensors, name)!.value;
      expect(back.shape).toEqual(shape ?? [data.length]);
      expect(back.data.constructor).toBe(data.constructor);
      expect(new Uint8Array(back.data.buffer)).toEqual(new Uint8Array(data.buffer));
      if (dtype !== undefined) expect(back.dtype).toBe(dtype);
    }
  }

  it('in memory, from bytes at any place', () => {
    const bytes = serialize(tensors, { metadata });
    check(deserialize(bytes));
    const moved = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3);
    moved.set(bytes);
    check(deserialize(moved));
    check(deserialize(bytes.buffer));
  });

  it('as a file, from arrays on shared memory, into given arrays', async () => {
    const path = join(folder, 'whole.safetensors');
    const shared = new Float32Array(new SharedArrayBuffer(24));
    shared.set(tensors.weight!.data as Float32Array);
    await writeFile(path, { ...tensors, weight: { data: shared, shape: [2, 3] } }, { metadata });
    check(await readFile(path));
    const file = await openFile(path);
    const into = new Float32Array(new SharedArrayBuffer(32), 4, 6);
    expect((await file.read('weight', { into })).data).toBe(into);
    expect([...into]).toEqual([...shared]);
    for (const wrong of [new Float32Array(5), new Int32Array(6), [1]]) {
      const read = file.read('weight', { into: wrong as Float32Array });
      await expect(read).rejects.toThrow('Expected into for tensor');
    }
    await expect(file.read('toString')).rejects.toThrow("has no tensor 'toString'");
    await file.close();
  });

  it('aligned: each tensor at a multiple of its element, data on a cache line', () => {
    const bytes = serialize(tensors, { metadata });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect((8 + length) % 64).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    const size: Record<string, number> = {
      F32: 4,
      I64: 8,
      F64: 8,
      BOOL: 1,
      I32: 4,
      BF16: 2,
      I8: 1,
      U32: 4,
    };
    for (const { dtype, data_offsets: offsets } of Object.values(header) as never[]) {
      if (dtype !== undefined) expect(offsets[0] % size[dtype]!).toBe(0);
    }
  });

  it('halves as float32, exactly', async () => {
    const f16 = [
      0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00, 0x7e00,
    ];
    const exact = [
      0,
      -0,
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      1,
      -2,
      65504,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ];
    const bf16 = [0x3f80, 0xc040, 0x0001, 0x7f80, 0x7fc0];
    const path = join(folder, 'halves.safetensors');
    const halves = {
      f16: { data: Uint16Array.from(f16), dtype: 'F16' },
      bf16: { data: Uint16Array.from(bf16), dtype: 'BF16' },
    } as const;
    await writeFile(path, halves);
    for (const read of [
      deserialize(readFileSync(path), { halves: 'float32' }),
      await readFile(path, { halves: 'float32' }),
    ]) {
      expect([...read.tensors.f16!.data]).toEqual(exact);
      expect([...read.tensors.bf16!.data]).toEqual([
        1,
        -3,
        2 ** -133,
        Number.POSITIVE_INFINITY,
        Number.NaN,
      ]);
      expect(read.tensors.f16!.dtype).toBe('F32');
    }
  });
});

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
  ])('%s', (_, bytes, sentence) => {
    expect(refused(bytes)).toContain(sentence);
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

describe('what cannot be written', () => {
  it.each<[unknown, string]>([
    [null, 'tensors by name'],
    [{ a: 1 }, "tensor 'a' to be { data, shape }"],
    [{ a: { data: [1] } }, 'to be a typed array'],
    [{ a: { data: new DataView(new ArrayBuffer(4)) } }, 'to be a typed array'],
    [{ a: { data: Float32Array.of(1, 2), shape: [3] } }, 'its 2 elements'],
    [{ a: { data: Float32Array.of(1), shape: 'x' } }, 'a list of integers'],
    [{ a: { data: Float32Array.of(1), dtype: 'F16' } }, 'a Float32Array can hold'],
    [{ __metadata__: { data: Float32Array.of(1) } }, "not '__metadata__'"],
    [
      [
        ['a', { data: Float32Array.of(1) }],
        ['a', { data: Float32Array.of(1) }],
      ],
      "'a' twice",
    ],
    [[1], 'pairs'],
  ])('%o', (tensors, sentence) => {
    expect(() => serialize(tensors as never)).toThrow(sentence);
  });

  it('metadata of other than strings', () => {
    expect(() => serialize({}, { metadata: { a: 1 } as never })).toThrow("'a' of metadata");
    expect(() => serialize({}, { metadata: null as never })).toThrow('metadata');
  });

  it('leaves no file behind when it is aborted, or when progress throws', async () => {
    const path = join(folder, 'aborted.safetensors');
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    const tensors = { a: { data: new Float32Array(3_000_000) } };
    const writing = writeFile(path, tensors, { onProgress, signal: controller.signal });
    await expect(writing).rejects.toThrow('enough');
    await expect(openFile(path)).rejects.toMatchObject({ code: 'ERR_FILE' });
    const missing = writeFile(join(folder, 'no', 'such.safetensors'), tensors);
    await expect(missing).rejects.toMatchObject({ code: 'ERR_FILE' });
    await expect(missing).rejects.toThrow('there is no such file or folder (ENOENT)');
  });
});
