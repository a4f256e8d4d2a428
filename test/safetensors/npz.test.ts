/** Files for `numpy.load`, read back here by the two formats' own descriptions. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelStateDict, ParameterArena } from '../../lib/index.ts';
import { saveNpz } from '../../lib/safetensors/index.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'npz-'));
  path = join(folder, 'x.npz');
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Read {
  readonly descr: string;
  readonly shape: string;
  readonly bytes: Buffer;
}

/** By the zip's directory at its end, as Python's zipfile reads it. */
function readNpz(file: string): Record<string, Read> {
  const zip = readFileSync(file);
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  let at = zip.readUInt32LE(end + 16);
  const found: Record<string, Read> = {};
  for (let k = 0; k < zip.readUInt16LE(end + 10); k++) {
    expect(zip.readUInt32LE(at)).toBe(0x02014b50);
    const [method, crc, packed, size] = [10, 16, 20, 24].map((place) =>
      zip.readUInt32LE(at + place),
    );
    expect(method! & 0xffff).toBe(0); // stored
    expect(packed).toBe(size);
    const [letters, extra, comment] = [28, 30, 32].map((place) => zip.readUInt16LE(at + place));
    const name = zip.toString('utf8', at + 46, at + 46 + letters!);
    const local = zip.readUInt32LE(at + 42);
    expect(zip.readUInt32LE(local)).toBe(0x04034b50);
    const begin = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const npy = zip.subarray(begin, begin + size!);
    expect(crc32(npy)).toBe(crc);
    found[name] = readNpy(npy);
    at += 46 + letters! + extra! + comment!;
  }
  return found;
}

function readNpy(npy: Buffer): Read {
  expect(npy.toString('latin1', 0, 8)).toBe('\x93NUMPY\x01\x00');
  const begin = 10 + npy.readUInt16LE(8);
  expect(begin % 64).toBe(0);
  const text = npy.toString('latin1', 10, begin);
  const form = /^\{'descr': '(.*)', 'fortran_order': False, 'shape': \((.*)\), \} *\n$/;
  const [, descr, shape] = form.exec(text)!;
  return { descr: descr!, shape: shape!, bytes: npy.subarray(begin) };
}

describe('saveNpz', () => {
  it('writes a model, with names and shapes', async () => {
    const model = new ParameterArena({ 'conv.weight': [2, 3], bias: [2] });
    model.data.forEach((_, i) => {
      model.data[i] = i + 0.5;
    });
    await saveNpz(path, modelStateDict(model));
    const found = readNpz(path);
    expect(Object.keys(found)).toEqual(['conv.weight.npy', 'bias.npy']);
    expect(found['conv.weight.npy']).toMatchObject({ descr: '<f4', shape: '2, 3' });
    expect(found['bias.npy']).toMatchObject({ descr: '<f4', shape: '2,' });
    const weight = modelStateDict(model)['conv.weight']!.data;
    expect(found['conv.weight.npy']!.bytes).toEqual(Buffer.from(weight.slice().buffer));
  });

  it.each([
    ['<f8', Float64Array, undefined],
    ['<i8', BigInt64Array, undefined],
    ['<u8', BigUint64Array, undefined],
    ['<i4', Int32Array, undefined],
    ['<u4', Uint32Array, undefined],
    ['<f2', Uint16Array, 'F16'],
    ['<i2', Int16Array, undefined],
    ['<u2', Uint16Array, undefined],
    ['|i1', Int8Array, undefined],
    ['|u1', Uint8Array, undefined],
    ['|b1', Uint8Array, 'BOOL'],
  ] as const)('%s, also empty and without a shape', async (descr, Kind, dtype) => {
    const data = new Kind(Uint8Array.from({ length: 24 }, (_, i) => i % 2).buffer);
    const given = dtype === undefined ? {} : { dtype };
    await saveNpz(path, {
      a: { data, ...given },
      one: { data: data.subarray(0, 1), shape: [], ...given },
      none: { data: data.subarray(0, 0), shape: [4, 0], ...given },
    });
    const found = readNpz(path);
    expect(found['a.npy']).toMatchObject({ descr, shape: `${data.length},` });
    expect(found['a.npy']!.bytes).toEqual(Buffer.from(data.buffer));
    expect(found['one.npy']).toMatchObject({ descr, shape: '' });
    expect(found['none.npy']).toMatchObject({ descr, shape: '4, 0' });
    expect(found['none.npy']!.bytes).toHaveLength(0);
  });

  it('writes arrays of many chunks, names of any letters, and the same bytes each time', async () => {
    const data = Float32Array.from({ length: 3 * 2 ** 20 }, (_, i) => Math.sin(i));
    await saveNpz(path, { 'größe/重み': { data }, b: { data: data.subarray(5, 9) } });
    const found = readNpz(path);
    expect(Object.keys(found)).toEqual(['größe/重み.npy', 'b.npy']);
    expect(found['größe/重み.npy']!.bytes.equals(Buffer.from(data.buffer))).toBe(true);
    const before = readFileSync(path);
    await saveNpz(path, { 'größe/重み': { data }, b: { data: data.subarray(5, 9) } });
    expect(readFileSync(path).equals(before)).toBe(true);
    await saveNpz(path, {});
    expect(readNpz(path)).toEqual({});
    expect(readdirSync(folder)).toEqual(['x.npz']);
  });

  it.each<[string, object, string, string]>([
    ['BF16', { a: { data: new Uint16Array(1), dtype: 'BF16' } }, 'ERR_SAFETENSORS', 'NumPy has'],
    ['F8', { a: { data: new Uint8Array(1), dtype: 'F8_E4M3' } }, 'ERR_SAFETENSORS', 'NumPy has'],
    [
      '33 dimensions',
      { a: { data: new Uint8Array(1), shape: Array(33).fill(1) } },
      'ERR_SAFETENSORS',
      'at most 32 dimensions',
    ],
    [
      'a long name',
      { ['a'.repeat(65_532)]: { data: new Uint8Array(1) } },
      'ERR_SAFETENSORS',
      'shorter',
    ],
    [
      'too many',
      Array.from({ length: 65_536 }, (_, i) => [`${i}`, { data: new Uint8Array(0) }]),
      'ERR_SAFETENSORS',
      'at most 65535 tensors',
    ],
    ['no tensors', [1], 'ERR_SAFETENSORS', 'pairs'],
  ])('refuses %s', async (_, tensors, code, text) => {
    const refused = { code, message: expect.stringContaining(text) };
    await expect(saveNpz(path, tensors as never)).rejects.toMatchObject(refused);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says what cannot be written', async () => {
    const a = { a: { data: new Uint8Array(1) } };
    const refused = { code: 'ERR_FILE', message: expect.stringContaining('no such file') };
    await expect(saveNpz(join(folder, 'none', 'x.npz'), a)).rejects.toMatchObject(refused);
    await expect(saveNpz('', a)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });

  it('says which package is missing', () => {
    // The built library, where no node_modules is above it.
    const dist = fileURLToPath(new URL('../../dist', import.meta.url));
    cpSync(dist, join(folder, 'dist'), { recursive: true });
    const program = `
      import { saveNpz } from './dist/safetensors/index.js';
      await saveNpz('x.npz', {}).catch(({ code, message }) => console.log(code, message));
    `;
    const args = ['--input-type=module', '-e', program];
    const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    expect(stdout).toBe(
      'ERR_MISSING_PACKAGE saveNpz needs the package fflate, which writes the zip: ' +
        'npm install fflate\n',
    );
    expect(readdirSync(folder)).toEqual(['dist']);
  });
});
