/** `gradstep inspect`: what it tells of files, right, damaged and foreign. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { run } from '../../lib/cli/inspect.ts';
import { main } from '../../lib/cli/main.ts';
import { Adam, CheckpointDirectory, combine, Parameter, SGD } from '../../lib/index.ts';
import { writeFile } from '../../lib/safetensors/index.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inspect-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What the command prints, to the end or until it throws. */
async function inspect(...args: string[]): Promise<{ printed: string; error?: unknown }> {
  let printed = '';
  const write = (text: string) => {
    printed += text;
  };
  try {
    await run(args, { write, columns: 80, colour: false });
    return { printed };
  } catch (error) {
    return { printed, error };
  }
}

async function checkpoint(): Promise<string> {
  const w = new Parameter([3, 4, 0, 0], { name: 'w', shape: [2, 2] });
  const b = new Parameter([2], { name: 'b' });
  w.ensureGrad().fill(1);
  const groups = [
    { params: [w], name: 'weights' },
    { params: [b], weightDecay: 0.5 },
  ];
  const main = new SGD(groups, { lr: 0.25, momentum: 0.5 });
  main.step();
  w.data.set([3, 4, 0, 0]);
  const rest = combine([new Adam([new Parameter([1])], { lr: 0.125 })]);
  const runs = await CheckpointDirectory.open(folder);
  const extra = { epoch: 3, seed: 2n ** 64n, best: Number.NaN, order: Int32Array.of(1, 0) };
  const { path } = await runs.save({
    step: 12,
    model: [w, b],
    optimizer: { main, rest },
    extra,
  });
  await runs.close();
  return path;
}

describe('a checkpoint', () => {
  test('is told in aligned text', async () => {
    const path = await checkpoint();
    const { printed, error } = await inspect(path);
    expect(error).toBeUndefined();
    expect(printed).toBe(`${path}
checkpoint of gradstep, ${(readFileSync(path).length / 1024).toFixed(1)} KiB, 4 tensors

step      12
checksum  right
extra     {
            epoch: 3,
            seed: 18446744073709551616n,
            best: NaN,
            order: 'tensor extra.order'
          }

optimizer.main  SGD
  group 0 'weights', 1 parameter
    lr 0.25, momentum 0.5, dampening 0, weightDecay 0, nesterov false,
    maximize false, frozen false
  group 1, 1 parameter
    lr 0.25, momentum 0.5, dampening 0, weightDecay 0.5, nesterov false,
    maximize false, frozen false

optimizer.rest.optimizers.0  Adam
  group 0, 1 parameter
    lr 0.125, betas [ 0.9, 0.999 ], eps 1e-8, weightDecay 0, amsgrad false,
    maximize false, frozen false

tensor                                 dtype  shape   elements  size  L2 norm
─────────────────────────────────────────────────────────────────────────────
model.w                                F32    [2, 2]         4  16 B        5
model.b                                F32    [1]            1   4 B        2
optimizer.main.state.0.momentumBuffer  F32    [4]            4  16 B        2
extra.order                            I32    [2]            2   8 B        -
─────────────────────────────────────────────────────────────────────────────
4 tensors                                                   11  44 B
`);
  });

  test('is told as JSON', async () => {
    const path = await checkpoint();
    const { printed } = await inspect('--json', path);
    expect(JSON.parse(printed)).toMatchObject({
      path,
      size: readFileSync(path).length,
      metadata: {},
      checkpoint: {
        step: 12,
        checksum: 'right',
        extra: { epoch: 3, seed: '18446744073709551616', best: 'NaN' },
        optimizers: [
          {
            path: 'optimizer.main',
            type: 'SGD',
            groups: [
              { name: 'weights', parameters: 1, hyperparameters: { lr: 0.25, momentum: 0.5 } },
              { parameters: 1, hyperparameters: { weightDecay: 0.5 } },
            ],
          },
          { path: 'optimizer.rest.optimizers.0', type: 'Adam' },
        ],
      },
    });
    expect(JSON.parse(printed).tensors[3]).toEqual({
      name: 'extra.order',
      dtype: 'I32',
      shape: [2],
      length: 2,
      bytes: 8,
    });
  });

  test('that is damaged is told all the same, and fails', async () => {
    const path = await checkpoint();
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    const { printed, error } = await inspect(path);
    expect(printed).toContain('checksum  WRONG: the file is damaged');
    expect(error).toMatchObject({ code: 'ERR_CHECKPOINT', message: expect.stringContaining(path) });
    const { printed: json } = await inspect(path, '--json');
    expect(JSON.parse(json).checkpoint.checksum).toBe('wrong');
  });
});

describe('any safetensors file', () => {
  test('norms of every kind of float, metadata, and no signs for the terminal', async () => {
    const path = join(folder, 'x.safetensors');
    const tensors = {
      half: { data: Uint16Array.of(0x4200, 0x4400), dtype: 'F16' }, // 3, 4
      brain: { data: Uint16Array.of(0x40a0, 0xc140), dtype: 'BF16' }, // 5, -12
      double: { data: Float64Array.of(8, -15) },
      long: { data: new Float32Array(5 * 2 ** 20).fill(1) }, // more than one chunk
      'red\x1b[31m': { data: Float32Array.of(Number.NaN), shape: [] },
      none: { data: new Float32Array(0), shape: [0, 3] },
    } as const;
    await writeFile(path, tensors, { metadata: { 'from\n': 'here' } });
    const { printed } = await inspect(path, '--json');
    const norms = JSON.parse(printed).tensors.map(
      ({ name, norm }: { name: string; norm: unknown }) => [name, norm],
    );
    expect(Object.fromEntries(norms)).toEqual({
      half: 5,
      brain: 13,
      double: 17,
      long: Math.sqrt(5 * 2 ** 20),
      'red\x1b[31m': 'NaN',
      none: 0,
    });
    const { printed: text } = await inspect(path);
    expect(text).toContain('safetensors file, 20.0 MiB, 6 tensors');
    expect(text).toContain('from\\u000a  here');
    expect(text).toMatch(/red\\u001b\[31m +F32 +\[\] +1 +4 B +NaN\n/);
    expect(text).not.toContain('\x1b');
    expect(text).toMatch(/none +F32 +\[0, 3\] +0 +0 B +0\n/);
  });

  test('without tensors', async () => {
    const path = join(folder, 'empty.safetensors');
    await writeFile(path, {});
    expect((await inspect(path)).printed).toBe(`${path}\nsafetensors file, 64 B, 0 tensors\n`);
  });
});

describe('what it refuses', () => {
  test.each<[string[], string, string]>([
    [['nowhere'], 'ERR_FILE', 'there is no such file or folder'],
    [['.'], 'ERR_FILE', 'it is a folder'],
    [['package.json'], 'ERR_SAFETENSORS', 'package.json: Expected a header of at most'],
    [['a', 'b'], 'ERR_INVALID_ARGUMENT', 'Expected one file but received b'],
    [['a', '--jsn'], 'ERR_INVALID_ARGUMENT', 'Unknown flag --jsn; did you mean --json?'],
    [['--json'], 'ERR_INVALID_ARGUMENT', 'Expected one file but received none'],
  ])('%j', async (args, code, text) => {
    const { printed, error } = await inspect(...args);
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    expect(printed).toBe('');
  });

  test('a file cut off at any byte', async () => {
    const path = await checkpoint();
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.length; length += 7) {
      writeFileSync(path, bytes.subarray(0, length));
      expect((await inspect(path)).error).toMatchObject({ code: 'ERR_SAFETENSORS' });
    }
  });

  test('help, and the exit codes', async () => {
    for (const args of [[], ['--help'], ['-h', 'x']]) {
      expect((await inspect(...args)).printed).toContain('Usage: gradstep inspect FILE [--json]');
    }
    const said = await errorOf(join(folder, 'none'));
    expect(said).toMatch(/^gradstep: .*none could not be read: there is no such file.*\n$/);
  });

  test('names that a terminal would obey, where errors tell them', async () => {
    const path = join(folder, 'x.safetensors');
    const name = 'a\x1b[31m\u202e';
    const header = JSON.stringify({ [name]: { dtype: 'X4', shape: [1], data_offsets: [0, 1] } });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    writeFileSync(path, Buffer.concat([length, Buffer.from(`${header}x`)]));
    expect(await errorOf(path)).toContain("'a\\u001b[31m\\u202e'");
  });

  test('the same in what was saved as extra', async () => {
    const runs = await CheckpointDirectory.open(folder);
    const extra = { note: 'a\u202eb', lists: Array(40).fill('some words') };
    const { path } = await runs.save({ step: 1, extra });
    await runs.close();
    const { printed } = await inspect(path);
    expect(printed).toContain("note: 'a\\u202eb',\n");
    expect(printed).toMatch(/^ {12}lists: \[\n/m);
  });
});

/** What the whole command writes to its errors, as it ends with 1. */
async function errorOf(...args: string[]): Promise<string> {
  let said = '';
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  try {
    expect(await main(run, args)).toBe(1);
  } finally {
    write.mockRestore();
  }
  return said;
}
