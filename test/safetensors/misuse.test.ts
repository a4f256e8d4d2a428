/** Calls that cannot be right, and what becomes of them: a code, a sentence, nothing half done. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import {
  deserialize,
  GradstepError,
  openFile,
  readFile,
  serialize,
  writeFile,
} from '../../lib/safetensors/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

const one = { a: { data: Float32Array.of(1, 2) } };
const take = <A extends Float32Array | Uint8Array>(array: A) => {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
};
const codeOf = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(GradstepError);
    return (error as GradstepError).code;
  }
  return undefined;
};
const rejects = (promise: Promise<unknown>, code: string, text = '') =>
  expect(promise).rejects.toMatchObject({
    name: 'GradstepError',
    code,
    message: expect.stringContaining(text),
  });

describe('bytes', () => {
  it.each([
    ['a string', 'safetensors'],
    ['null', null],
    ['a number', 64],
    ['a list', [1, 2, 3]],
    ['a DataView', new DataView(new ArrayBuffer(64))],
  ])('are not %s', (_, value) => {
    expect(codeOf(() => deserialize(value as never))).toBe('ERR_SAFETENSORS');
  });

  it('that were transferred away are told as such, read and written', () => {
    expect(codeOf(() => serialize({ a: { data: take(new Float32Array(8)) } }))).toBe(
      'ERR_DETACHED',
    );
    expect(codeOf(() => deserialize(take(serialize(one))))).toBe('ERR_DETACHED');
    const { buffer } = serialize(one);
    structuredClone(buffer, { transfer: [buffer] });
    expect(codeOf(() => deserialize(buffer))).toBe('ERR_DETACHED');
  });

  it('hold no half of a surrogate pair, which is no UTF-8', () => {
    expect(codeOf(() => serialize({ '\ud83d': one.a }))).toBe('ERR_SAFETENSORS');
    for (const metadata of [{ '\ud83d': 'x' }, { x: '\ude00' }, { '\ud83d': '\ude00' }]) {
      expect(codeOf(() => serialize(one, { metadata }))).toBe('ERR_SAFETENSORS');
    }
    const whole = serialize({ '😀': one.a }, { metadata: { '😀': '😀' } });
    expect(deserialize(whole).metadata).toEqual({ '😀': '😀' });
  });
});

describe('files', () => {
  const path = join(folder, 'one.safetensors');

  it.each([[undefined], [''], [5], [new URL('file:///x')], ['a\0b']])(
    'are not named by %s',
    async (name) => {
      await rejects(writeFile(name as never, one), 'ERR_INVALID_ARGUMENT', 'the path of a file');
      await rejects(openFile(name as never), 'ERR_INVALID_ARGUMENT', 'the path of a file');
    },
  );

  it('are written with no option that nobody knows, and none of the wrong kind', async () => {
    for (const options of [{ metdata: {} }, { signal: 5 }, { onProgress: 5 }]) {
      await rejects(writeFile(path, one, options as never), 'ERR_INVALID_ARGUMENT');
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('let an error of the progress callback pass as it is', async () => {
    const mine = Object.assign(new Error('enough'), { code: 'E_ENOUGH' });
    const onProgress = () => {
      throw mine;
    };
    await expect(writeFile(path, one, { onProgress })).rejects.toBe(mine);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('close once or twice, or when their scope ends, and are not read after that', async () => {
    await writeFile(path, one);
    const file = await openFile(path);
    await file[Symbol.asyncDispose]();
    await file.close();
    await rejects(file.read('a'), 'ERR_FILE', path);
  });

  it('take any memory and give it back', async () => {
    const shared = new Float32Array(new SharedArrayBuffer(64)).fill(3);
    const resizable = new Float32Array(
      new (ArrayBuffer as never as new (n: number, o: object) => ArrayBuffer)(64, {
        maxByteLength: 128,
      }),
    ).fill(4);
    await writeFile(path, { shared: { data: shared }, resizable: { data: resizable } });
    const { tensors } = await readFile(path);
    expect(tensors.shared!.data).toEqual(new Float32Array(16).fill(3));
    expect(tensors.resizable!.data).toEqual(new Float32Array(16).fill(4));
    const file = await openFile(path);
    await file.read('resizable', { into: shared });
    await file.close();
    expect(shared[15]).toBe(4);
  });
});

it('goes into a bundle for browsers, where bytes work and files are refused', async () => {
  const entry = fileURLToPath(new URL('../../lib/safetensors/index.ts', import.meta.url));
  const { outputFiles, warnings } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'bundled',
    define: { process: 'undefined' },
    write: false,
  });
  expect(warnings).toEqual([]);
  const run = new Function('globalThis', `${outputFiles[0]!.text}; return bundled;`);
  const bundled = run({}) as typeof import('../../lib/safetensors/index.ts');
  expect(bundled.deserialize(bundled.serialize(one)).tensors.a!.data).toEqual(one.a.data);
  await rejects(bundled.writeFile('x', one), 'ERR_FILE', 'Node.js');
  await rejects(bundled.openFile('x'), 'ERR_FILE', 'Node.js');
});
