/** What else can happen to a folder of checkpoints, and what must not come of it. */

import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  promises,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CheckpointDirectory, combine, ExponentialLR, Parameter, SGD } from '../../lib/index.ts';
import { readFile } from '../../lib/safetensors/index.ts';

let folder: string;
let runs: CheckpointDirectory;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
  runs = await CheckpointDirectory.open(folder);
});
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await runs.close();
  rmSync(folder, { recursive: true });
});

const fileOf = (step: number) => join(folder, `step-${String(step).padStart(9, '0')}.safetensors`);

/** State that is not gradstep's: its dict is the live array, and so is what it loads. */
class Mine {
  w: Float32Array;
  fails = false;
  constructor(...values: number[]) {
    this.w = Float32Array.from(values);
  }
  stateDict() {
    return { w: this.w };
  }
  loadStateDict({ w }: { w: Float32Array }) {
    this.w.set(w);
    if (this.fails) throw new Error('no');
  }
}

describe('restore', () => {
  it('takes back what gave its live arrays as its state', async () => {
    const [a, b] = [new Mine(1), new Mine(2)];
    await runs.save({ step: 1, optimizer: { a, b } });
    a.w.fill(7);
    b.w.fill(8);
    b.fails = true;
    const checkpoint = await runs.latest();
    b.loadStateDict = ({ w }) => {
      b.w.set(w);
      const { fails } = b;
      b.fails = false; // it takes its own state back
      if (fails) throw new Error('no');
    };
    expect(() => checkpoint!.restore({ optimizer: { a, b } })).toThrow('no');
    expect([...a.w, ...b.w]).toEqual([7, 8]);
  });

  it('takes back the others when one fails at that too', async () => {
    const [a, b] = [new Mine(1), new Mine(2)];
    await runs.save({ step: 1, optimizer: { a, b } });
    a.w.fill(7);
    b.fails = true;
    const checkpoint = await runs.latest();
    expect(() => checkpoint!.restore({ optimizer: { a, b } })).toThrow('no');
    expect([...a.w]).toEqual([7]);
  });

  it('gives every time what was saved, also to what keeps the arrays', async () => {
    const keeps = {
      w: Float32Array.of(1) as Float32Array,
      stateDict: () => ({ w: keeps.w }),
      loadStateDict: (dict: { w: Float32Array }) => {
        keeps.w = dict.w;
      },
    };
    await runs.save({ step: 1, optimizer: keeps });
    const checkpoint = await runs.latest();
    checkpoint!.restore({ optimizer: keeps });
    keeps.w.fill(99);
    checkpoint!.restore({ optimizer: keeps });
    expect([...keeps.w]).toEqual([1]);
  });

  it('calls what a subclass has in the place of ours', async () => {
    class Counting extends ExponentialLR {
      seen = 0;
      override stateDict() {
        return { ...super.stateDict(), seen: this.seen };
      }
      override loadStateDict(dict: ReturnType<Counting['stateDict']>) {
        const { seen, ...rest } = dict;
        super.loadStateDict(rest as never);
        this.seen = seen;
      }
    }
    const make = () => {
      const optimizer = new SGD([new Parameter([1], { name: 'p' })], { lr: 1, momentum: 0.5 });
      return { optimizer, scheduler: new Counting(optimizer, { gamma: 0.5 }) };
    };
    const { optimizer, scheduler } = make();
    scheduler.seen = 7;
    optimizer.step();
    scheduler.step();
    await runs.save({ step: 1, optimizer, scheduler });
    const resumed = make();
    const checkpoint = await runs.latest();
    checkpoint!.restore(resumed);
    expect(resumed.scheduler.seen).toBe(7);
    expect(resumed.scheduler.lastEpoch).toBe(1);
    expect(resumed.optimizer.paramGroups[0]!.lr).toBe(0.5);
    const other = { ...make(), model: [['q', new Parameter([1])]] as const };
    expect(() => checkpoint!.restore(other)).toThrow('has no model');
    const broken = { ...make(), optimizer: new SGD([], { lr: 3 }) };
    expect(() => checkpoint!.restore(broken)).toThrow('number of parameter groups');
    expect([broken.scheduler.seen, broken.scheduler.lastEpoch]).toEqual([0, 0]);
  });

  it('stays done when a hook throws that runs after it', async () => {
    const p = new Parameter([1], { name: 'p' });
    const optimizer = new SGD([p], { lr: 0.1 });
    const mine = new Mine(1);
    await runs.save({ step: 1, optimizer, scaler: mine });
    optimizer.paramGroups[0]!.lr = 0.5;
    mine.w.fill(7);
    optimizer.registerLoadStateDictPostHook(() => {
      throw new Error('a hook');
    });
    const checkpoint = await runs.latest();
    expect(() => checkpoint!.restore({ optimizer, scaler: mine })).toThrow('a hook');
    expect([optimizer.paramGroups[0]!.lr, ...mine.w]).toEqual([0.1, 1]);
  });
});

describe('save', () => {
  it('refuses what contains itself at once, also where it branches', async () => {
    const knot: Record<string, unknown> = {};
    Object.assign(knot, { a: knot, b: knot });
    const saving = runs.save({ step: 1, extra: knot });
    await expect(saving).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
  });

  it('tells an array that was transferred away', async () => {
    const gone = new Float32Array(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const saving = runs.save({ step: 1, extra: { gone } });
    await expect(saving).rejects.toMatchObject({ code: 'ERR_DETACHED' });
  });

  it('saves { data, shape } whose shape is none of a tensor', async () => {
    const extra = { data: new Float32Array(6), shape: ['2', '3'] };
    await runs.save({ step: 1, extra });
    expect((await runs.latest())!.extra).toEqual(extra);
  });

  it.each([
    ['a hook', (optimizer: SGD) => optimizer],
    ['a hook of an optimizer inside', (optimizer: SGD) => combine([optimizer])],
  ])('copies what %s puts into a state dict', async (_, around) => {
    const optimizer = new SGD([new Parameter([1], { name: 'p' })], { lr: 0.1 });
    const live = new Float32Array(2 ** 20).fill(1);
    optimizer.registerStateDictPostHook((__, dict) => ({ ...dict, live }));
    const saving = runs.save({ step: 1, optimizer: around(optimizer) });
    live.fill(2);
    const { path } = await saving;
    const [saved] = Object.values((await readFile(path)).tensors);
    expect(saved!.data.every((value) => value === 1)).toBe(true);
  });

  it('copies what a subclass puts into a state dict', async () => {
    const live = new Float32Array(2 ** 20).fill(1);
    class Live extends SGD {
      override stateDict(options = {}) {
        return { ...super.stateDict(options), live };
      }
    }
    const saving = runs.save({ step: 1, optimizer: new Live([new Parameter([1])], { lr: 1 }) });
    live.fill(2);
    const { path } = await saving;
    expect((await readFile(path)).tensors['optimizer.live']!.data).not.toContain(2);
  });

  it('is refused inside of a save', async () => {
    const inner: Promise<unknown>[] = [];
    const mine = new Mine(1);
    mine.stateDict = () => {
      if (inner.length === 0) inner.push(runs.save({ step: 1, extra: new Float32Array(2 ** 20) }));
      return { w: mine.w };
    };
    const outer = runs.save({ step: 2, optimizer: mine });
    await expect(outer).rejects.toMatchObject({ code: 'ERR_BUSY' });
    await Promise.all(inner);
    expect((await runs.list()).map(({ step }) => step)).toEqual([1]);
  });

  it('does not begin while the folder is being closed', async () => {
    const extra = new Float32Array(2 ** 20);
    const first = runs.save({ step: 1, extra });
    const second = first.then(() => runs.save({ step: 2, extra }));
    const refused = expect(second).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
    await runs.close();
    await refused;
    expect((await runs.list()).map(({ step }) => step)).toEqual([1]);
  });
});

describe('latest', () => {
  it('passes over folders of that name', async () => {
    await runs.save({ step: 1 });
    mkdirSync(fileOf(2));
    expect((await runs.latest())!.step).toBe(1);
  });

  it('does not take a lack of memory for damage', async () => {
    await runs.save({ step: 1, extra: new Float32Array(2 ** 20) });
    const Real = ArrayBuffer;
    class Short extends Real {
      constructor(length: number) {
        if (length >= 2 ** 22) throw new RangeError('Array buffer allocation failed');
        super(length);
      }
    }
    vi.stubGlobal('ArrayBuffer', Short);
    await expect(runs.latest()).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
  });

  it('does not go back past an intact checkpoint of a later version', async () => {
    for (const step of [1, 2]) await runs.save({ step, extra: { step } });
    const text = readFileSync(fileOf(2), 'latin1').replace('\\"version\\":1', '\\"version\\":2');
    const checksum = /("gradstep\.checksum":")([0-9a-f]{64})/;
    const zeros = text.replace(checksum, `$1${'0'.repeat(64)}`);
    const digits = createHash('sha256').update(Buffer.from(zeros, 'latin1')).digest('hex');
    writeFileSync(fileOf(2), Buffer.from(zeros.replace('0'.repeat(64), digits), 'latin1'));
    await expect(runs.latest()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_VERSION',
      message: expect.stringContaining('version 2'),
    });
    expect((await runs.load(1)).extra).toEqual({ step: 1 });
  });
});

describe('open', () => {
  it('stays with its folder when the process goes elsewhere', async () => {
    const here = vi.spyOn(process, 'cwd').mockReturnValue(folder);
    const other = await CheckpointDirectory.open('runs');
    here.mockRestore();
    expect(other.path).toBe(join(folder, 'runs'));
    expect((await other.save({ step: 1 })).path).toBe(join(folder, 'runs', basename(fileOf(1))));
    await other.close();
    expect(readdirSync(join(folder, 'runs'))).toHaveLength(1); // no lock
  });

  it('says so when the folder of the process itself is gone', async () => {
    const here = vi.spyOn(process, 'cwd').mockImplementation(() => {
      throw Object.assign(new Error('uv_cwd'), { code: 'ENOENT', syscall: 'uv_cwd' });
    });
    const refused = expect(CheckpointDirectory.open('runs')).rejects;
    await refused.toMatchObject({ code: 'ERR_FILE' });
    here.mockRestore();
  });

  it.each(['', 'null', '{}', '[]', '5', '{"pid":"1","host":null}'])(
    'takes over from a dead writer whose lock says %s',
    async (text) => {
      await runs.close();
      const dead = 2 ** 22 + 1; // above the largest number of a process
      writeFileSync(join(folder, `.writer-${dead}-0123456789abcdef.lock`), text);
      runs = await CheckpointDirectory.open(folder);
      await runs.save({ step: 1 });
    },
  );

  it('sweeps its own half files, and leaves those of other names to who writes them', async () => {
    await runs.close();
    const half = (name: string) => `.${name}.123-0123456789abcdef.tmp`;
    const names = [half('step-000000001.safetensors'), half('model.safetensors')];
    for (const name of names) writeFileSync(join(folder, name), '');
    runs = await CheckpointDirectory.open(folder);
    expect(readdirSync(folder)).not.toContain(names[0]);
    expect(readdirSync(folder)).toContain(names[1]);
  });

  it('passes over a folder that has the name of a half file', async () => {
    await runs.close();
    mkdirSync(join(folder, '.step-000000001.safetensors.123-0123456789abcdef.tmp'));
    runs = await CheckpointDirectory.open(folder);
    await runs.save({ step: 1 });
  });

  it('lets the folder go when it cannot be swept', async () => {
    await runs.close();
    const half = join(folder, '.step-000000001.safetensors.123-0123456789abcdef.tmp');
    writeFileSync(half, '');
    const denied = Object.assign(new Error('no'), { code: 'EPERM', syscall: 'unlink' });
    vi.spyOn(promises, 'rm').mockRejectedValueOnce(denied);
    const opening = CheckpointDirectory.open(folder);
    await expect(opening).rejects.toMatchObject({
      code: 'ERR_FILE',
      message: `${half} could not be removed: this process has no permission (EPERM)`,
    });
    runs = await CheckpointDirectory.open(folder);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('needs a name without a zero byte', async () => {
    await expect(CheckpointDirectory.open('a\0b')).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  });
});
