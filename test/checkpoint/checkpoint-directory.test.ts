/** Folders of checkpoints: what is saved comes back, whole or not at all. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as gradstep from '../../lib/index.ts';
import { readFile } from '../../lib/safetensors/index.ts';
import { makeRun, snapshot, train } from './run.mjs';

const { CheckpointDirectory, Parameter, SGD } = gradstep;

let folder: string;
const opened: gradstep.CheckpointDirectory[] = [];
const open = async (options = {}) => {
  const runs = await CheckpointDirectory.open(folder, options);
  opened.push(runs);
  return runs;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
});
afterEach(async () => {
  for (const runs of opened.splice(0)) await runs.close();
  rmSync(folder, { recursive: true, force: true });
});

const small = () => {
  const p = new Parameter([1, 2, 3], { name: 'p' });
  p.ensureGrad().fill(1);
  const optimizer = new SGD([p], { lr: 0.1, momentum: 0.9 });
  optimizer.step();
  return { p, model: [['p', p]] as const, optimizer };
};

const rejects = (promise: Promise<unknown>, code: string, text: string) => {
  return expect(promise).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
};

describe('a run', () => {
  it('goes on as if it had never ended', async () => {
    const run = makeRun(gradstep);
    for (let step = 1; step <= 7; step++) train(run, step);
    const runs = await open();
    const extra = {
      epoch: 3,
      big: 2n ** 70n,
      odd: [Number.NaN, -0, Number.NEGATIVE_INFINITY],
      rng: Uint8Array.of(1, 2),
      $dollar: { $number: 'x' },
      nothing: null,
    };
    const saved = await runs.save({ step: 7, ...run.parts, extra });
    expect(saved).toMatchObject({ step: 7, path: join(folder, 'step-000000007.safetensors') });
    expect(saved.snapshotMs).toBeGreaterThanOrEqual(0);
    const resumed = makeRun(gradstep);
    const checkpoint = await runs.latest();
    expect(checkpoint).toMatchObject({ step: 7, extra, skipped: [] });
    expect(checkpoint!.parts).toEqual(['model', 'scheduler', 'optimizer', 'average']);
    checkpoint!.restore(resumed.parts);
    expect(snapshot(resumed) === snapshot(run)).toBe(true);
    for (let step = 8; step <= 12; step++) for (const one of [run, resumed]) train(one, step);
    expect(snapshot(resumed) === snapshot(run)).toBe(true);
  });

  it('is a safetensors file, the model with names and shapes', async () => {
    const run = makeRun(gradstep);
    train(run, 1);
    const { path, size } = await (await open()).save({ step: 1, ...run.parts });
    const { tensors } = await readFile(path);
    expect(tensors['model.weight']).toMatchObject({ dtype: 'F32', shape: [300, 70] });
    expect(tensors['optimizer.state.1.expAvgSq']).toMatchObject({ dtype: 'F32', shape: [70] });
    expect(readFileSync(path)).toHaveLength(size);
  });

  it('may have thousands of arrays, small, large and empty, in any order', async () => {
    const sizes = [0, 1, 2 ** 21, 7, 65_536, 65_537, 0, 300_000];
    const arrays = (add: number) =>
      Array.from({ length: 1500 }, (_, k) => {
        const size = k % 100 === 0 ? sizes[(k / 100) % sizes.length]! : k % 5;
        const data = Float32Array.from({ length: size }, (__, i) => k + i + add);
        return [`"${k}\\`, new Parameter(data)] as const;
      });
    const runs = await open();
    const wide = { wide: new Float64Array(3).fill(0.1), bytes: Uint8Array.of(1, 2, 3) };
    await runs.save({ step: 1, model: arrays(0), extra: wide });
    const checkpoint = await runs.load(1);
    expect(checkpoint.extra).toEqual(wide);
    expect((checkpoint.extra as typeof wide).bytes.buffer.byteLength).toBe(3); // its own memory
    const [live, saved] = [arrays(0.5), arrays(0)];
    checkpoint.restore({ model: live });
    const bytes = (list: typeof live) => list.map(([, { data }]) => Buffer.from(data.buffer));
    expect(Buffer.concat(bytes(live)).equals(Buffer.concat(bytes(saved)))).toBe(true);
  });

  it('is saved as it was when save was called', async () => {
    const run = makeRun(gradstep);
    train(run, 1);
    const before = snapshot(run);
    const runs = await open();
    const saving = runs.save({ step: 1, ...run.parts });
    train(run, 2);
    await saving;
    const other = makeRun(gradstep);
    (await runs.latest())!.restore(other.parts);
    expect(snapshot(other) === before).toBe(true);
  });

  it('may have several of a part, by name, and anything with a state dict', async () => {
    const [a, b] = [small(), small()];
    const live = new Float32Array([5]);
    const own = {
      stateDict: () => ({ live }),
      loadStateDict: (dict: { live: Float32Array }) => live.set(dict.live),
    };
    const runs = await open();
    const saving = runs.save({
      step: 0,
      optimizer: { a: a.optimizer, b: b.optimizer },
      scheduler: own,
    });
    live[0] = 6; // a view of it was given
    await saving;
    const checkpoint = (await runs.load(0))!;
    expect(Object.keys((await readFile(checkpoint.path)).tensors).sort()).toEqual([
      'optimizer.a.state.0.momentumBuffer',
      'optimizer.b.state.0.momentumBuffer',
      'scheduler.live',
    ]);
    checkpoint.restore({ scheduler: own });
    expect(live[0]).toBe(5);
    checkpoint.restore({ optimizer: { b: small().optimizer } });
    const restore = (parts: object) => () => checkpoint.restore(parts);
    expect(restore({ optimizer: a.optimizer })).toThrow('restore { a, b } by name');
    expect(restore({ optimizer: { c: a.optimizer } })).toThrow("no optimizer 'c', but a, b");
    expect(restore({ scaler: own })).toThrow('has no scaler, but scheduler, optimizer');
    expect(restore({ optimiser: own })).toThrow('received optimiser');
    expect(restore({ optimizer: 5 })).toThrow('Expected optimizer to have stateDict()');
  });

  it('is restored whole or not at all', async () => {
    const { model, optimizer, p } = small();
    const runs = await open();
    let live = 1;
    const own = {
      stateDict: () => ({ live }),
      loadStateDict: (dict: { live: number }) => {
        live = dict.live;
      },
    };
    const bad = {
      stateDict: () => ({}),
      loadStateDict() {
        throw new Error('not mine');
      },
    };
    await runs.save({ step: 1, model, optimizer, scheduler: own, scaler: bad });
    const checkpoint = await runs.latest();
    optimizer.step();
    live = 2;
    const before = [[...p.data], JSON.stringify(optimizer.stateDict())];
    expect(() => checkpoint!.restore({ model, optimizer, scheduler: own, scaler: bad })).toThrow(
      'not mine',
    );
    const other = new SGD([new Parameter([1, 2])], { lr: 1 });
    expect(() => checkpoint!.restore({ model, optimizer: other, scheduler: own })).toThrow();
    expect([[...p.data], JSON.stringify(optimizer.stateDict())]).toEqual(before);
    expect(live).toBe(2);
    checkpoint!.restore({ model, optimizer, scheduler: own });
    expect([...p.data]).not.toEqual(before[0]);
    expect(live).toBe(1);
  });
});

describe('the folder', () => {
  it('keeps the newest, and every so many', async () => {
    const { optimizer } = small();
    const runs = await open({ keep: 2, keepEvery: 4 });
    for (let step = 1; step <= 9; step++) await runs.save({ step, optimizer });
    expect((await runs.list()).map(({ step }) => step)).toEqual([4, 8, 9]);
  });

  it('gives up what came after the step that a run was set back to', async () => {
    const { optimizer } = small();
    const runs = await open({ keep: 3, keepEvery: 4 });
    const steps = async () => (await runs.list()).map(({ step }) => step);
    for (let step = 1; step <= 10; step++) await runs.save({ step, optimizer });
    expect(await steps()).toEqual([4, 8, 9, 10]);
    const onProgress = () => {
      throw new Error('enough');
    };
    await expect(runs.save({ step: 6, optimizer, onProgress })).rejects.toThrow('enough');
    expect(await steps()).toEqual([4, 8, 9, 10]);
    await runs.save({ step: 6, optimizer });
    expect(await steps()).toEqual([4, 6]);
    expect((await runs.latest())!.step).toBe(6);
    for (const step of [7, 8, 9]) await runs.save({ step, optimizer });
    expect(await steps()).toEqual([4, 7, 8, 9]);
  });

  it('is empty at first', async () => {
    const runs = await open();
    expect(await runs.latest()).toBeNull();
    expect(await runs.list()).toEqual([]);
    await rejects(runs.load(3), 'ERR_FILE', 'there is no such file');
  });

  it('refuses a second save while one is under way, and goes on afterwards', async () => {
    const { optimizer } = small();
    const runs = await open();
    const first = runs.save({ step: 1, optimizer });
    await rejects(runs.save({ step: 2, optimizer }), 'ERR_BUSY', 'under way');
    await first;
    await runs.save({ step: 2, optimizer });
    expect((await runs.list()).map(({ step }) => step)).toEqual([1, 2]);
  });

  it('has one writer, and readers beside it', async () => {
    const { optimizer } = small();
    const runs = await open();
    await rejects(open(), 'ERR_CHECKPOINT', `process ${process.pid}, this one`);
    const reader = await open({ readOnly: true });
    await runs.save({ step: 1, optimizer });
    expect((await reader.latest())!.step).toBe(1);
    await rejects(reader.save({ step: 2, optimizer }), 'ERR_CHECKPOINT', 'read only');
    await runs.close();
    await rejects(runs.save({ step: 2, optimizer }), 'ERR_CHECKPOINT', 'is closed');
    await open();
  });

  it('lets go of what the dead have left, and of nothing else', async () => {
    const dead = spawnSync(process.execPath, ['-e', '0']).pid;
    const lock = (pid: number) => join(folder, `.writer-${pid}-0123456789abcdef.lock`);
    writeFileSync(lock(dead), JSON.stringify({ pid: dead, host: hostname(), started: '1' }));
    writeFileSync(join(folder, `.step-000000001.safetensors.${dead}-0123456789abcdef.tmp`), 'half');
    writeFileSync(join(folder, 'notes.tmp'), 'mine');
    const runs = await open();
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual(['notes.tmp']);
    await runs.close();
    // A number that another process has now, one that died while it wrote, and another machine.
    writeFileSync(
      lock(process.ppid),
      JSON.stringify({ pid: process.ppid, host: hostname(), started: '1' }),
    );
    writeFileSync(lock(dead), '');
    await (await open()).close();
    writeFileSync(lock(dead), JSON.stringify({ pid: dead, host: 'elsewhere', started: '1' }));
    await rejects(open(), 'ERR_CHECKPOINT', 'elsewhere');
  });

  it.each<[unknown, string]>([
    [null, 'Expected { keep, keepEvery, readOnly } but received null'],
    [3, 'received 3'],
    [{ keep: 0 }, 'keep to be an integer >= 1'],
    [{ keepEvery: 1.5 }, 'keepEvery'],
    [{ readOnly: 1 }, 'readOnly'],
    [{ kep: 3 }, 'received kep'],
  ])('refuses %o', async (options, text) => {
    await rejects(open(options as object), 'ERR_INVALID_ARGUMENT', text);
  });

  it('refuses what cannot be saved, before anything is written', async () => {
    const { optimizer } = small();
    const runs = await open();
    const save = (options: object) => runs.save({ step: 1, optimizer, ...options } as never);
    await rejects(save({ step: -1 }), 'ERR_INVALID_ARGUMENT', 'step to be an integer');
    await rejects(save({ optimiser: optimizer }), 'ERR_INVALID_ARGUMENT', 'received optimiser');
    await rejects(save({ extra: () => 1 }), 'ERR_CHECKPOINT', 'plain data at extra');
    await rejects(save({ extra: { when: new Date() } }), 'ERR_CHECKPOINT', 'extra.when');
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    await rejects(save({ extra: circle }), 'ERR_CHECKPOINT', 'contains itself');
    await rejects(save({ onProgress: 1 }), 'ERR_INVALID_ARGUMENT', 'onProgress');
    optimizer.dispose();
    await rejects(save({}), 'ERR_DISPOSED', 'disposed');
    expect(await runs.list()).toEqual([]);
  });
});

describe('errors of the disk', () => {
  /** The names in the folder but those of locks. */
  const names = () => readdirSync(folder).filter((name) => !name.endsWith('.lock'));

  it('a removed folder, progress that throws: the older stay', async () => {
    const { optimizer } = small();
    const runs = await open();
    await runs.save({ step: 1, optimizer });
    const onProgress = () => {
      throw new Error('enough');
    };
    await expect(runs.save({ step: 2, optimizer, onProgress })).rejects.toThrow('enough');
    expect(names()).toEqual(['step-000000001.safetensors']);
    rmSync(folder, { recursive: true });
    await rejects(runs.save({ step: 3, optimizer }), 'ERR_FILE', 'no such file or folder');
    mkdirSync(folder);
    await runs.save({ step: 4, optimizer });
    expect(names()).toEqual(['step-000000004.safetensors']);
  });
});

describe('damage', () => {
  it('of the newest: falls back, and says so', async () => {
    const { optimizer } = small();
    const runs = await open();
    const paths: string[] = [];
    for (const step of [1, 2, 3]) paths.push((await runs.save({ step, optimizer })).path);
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    writeFileSync(paths[2]!, readFileSync(paths[2]!).subarray(0, 100));
    const bytes = readFileSync(paths[1]!);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(paths[1]!, bytes);
    const checkpoint = await runs.latest();
    expect(warned).toHaveBeenCalledTimes(2); // once each
    const kind = { type: 'GradstepWarning', code: 'WARN_CHECKPOINT' };
    expect(warned).toHaveBeenLastCalledWith(expect.stringContaining(paths[1]!), kind);
    warned.mockRestore();
    expect(checkpoint!.step).toBe(1);
    expect(checkpoint!.skipped.map(({ path }) => path)).toEqual([paths[2], paths[1]]);
    expect(checkpoint!.skipped[1]!.reason).toContain('its checksum is not that of its contents');
    await rejects(runs.load(2), 'ERR_CHECKPOINT', 'damaged');
    await rejects(runs.load(3), 'ERR_CHECKPOINT', 'cut off');
    writeFileSync(paths[0]!, '');
    const quiet = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    await rejects(runs.latest(), 'ERR_CHECKPOINT', 'All 3 checkpoints');
    quiet.mockRestore();
  });

  it('at every byte, by cutting and by 1,000 flips: never read as if it were right', async () => {
    const { optimizer } = small();
    const runs = await open();
    const { path } = await runs.save({ step: 1, optimizer, extra: 'x' });
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      await rejects(runs.load(1), 'ERR_CHECKPOINT', path);
    }
    const flips = fc.asyncProperty(
      fc.nat(bytes.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= flip;
        writeFileSync(path, changed);
        await rejects(runs.load(1), 'ERR_CHECKPOINT', path);
      },
    );
    await fc.assert(flips, { numRuns: 1000, seed: 11 });
  });

  it('a safetensors file of somebody else is no checkpoint', async () => {
    const { writeFile } = await import('../../lib/safetensors/index.ts');
    const runs = await open();
    await writeFile(join(folder, 'step-000000005.safetensors'), {
      a: { data: new Float32Array(2) },
    });
    await rejects(runs.load(5), 'ERR_CHECKPOINT', 'no checkpoint of gradstep');
  });
});
