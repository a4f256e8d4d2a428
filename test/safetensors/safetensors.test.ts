/** Safetensors in memory and as files: what is written is read. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  deserialize,
  openFile,
  readFile,
  serialize,
  type TensorInput,
  writeFile,
} from '../../lib/safetensors/index.ts';
import { fileOf } from './file-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

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

  it('in the order of the file, with space wherever JSON has it', () => {
    const entry = (at: number) =>
      `{ "dtype":"U8",\n"shape" : [1],"data_offsets":[${at},${at + 1}] }`;
    const metadata = '{ "x" : "}\\"{,\\u00e4" }';
    const text = `{ "b" :${entry(0)},\t"7": ${entry(1)}\r, "__metadata__" : ${metadata}}`;
    for (const padding of ['', '   \n']) {
      const bytes = fileOf(text, 2, padding);
      bytes.set([5, 6], bytes.length - 2);
      const { tensors, metadata: read } = deserialize(bytes);
      expect([tensors.b!.data[0], tensors['7']!.data[0]]).toEqual([5, 6]);
      expect(read).toEqual({ x: '}"{,ä' });
    }
    expect(deserialize(fileOf('{ }', 0)).tensors).toEqual({});
    expect(deserialize(fileOf('{"__metadata__":{}}', 0)).metadata).toEqual({});
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
