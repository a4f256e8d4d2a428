/** The benchmark runs, on sizes that take no time; no figure is judged here. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../bench/cli.ts';
import { interleave } from '../../bench/measure.ts';
import { fillGradient } from '../../bench/model.ts';
import { readOptions } from '../../bench/options.ts';
import { type Measured, SUBJECTS } from '../../bench/results.ts';
import { root } from '../../bench/root.ts';
import { clipping } from '../../bench/scenarios/clipping.ts';
import { denormals } from '../../bench/scenarios/denormals.ts';
import { groups } from '../../bench/scenarios/groups.ts';
import type { Row } from '../../bench/scenarios/index.ts';
import { rows } from '../../bench/scenarios/index.ts';
import { list } from '../../bench/scenarios/list.ts';
import { allAtOnce } from '../../bench/scenarios/step-all.ts';
import { targets } from '../../bench/targets.ts';
import { flat, lenet, many, resnet50, valuesOf, type Workload } from '../../bench/workload.ts';
import { measured } from './measured.ts';

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);

async function bench(args: string[], all: readonly Row[] = []) {
  let printed = '';
  let progress = '';
  const code = await main(
    args,
    {
      out: (text) => {
        printed += text;
      },
      progress: (text) => {
        progress += text;
      },
    },
    all,
  );
  return { code, printed, progress };
}

describe('a run', () => {
  const row = (work: Workload): Row => ({ name: work.name, quick: true, run: list(work) });
  const tiny: Row[] = [
    row(flat(100)),
    row(many(3, 20)),
    { name: 'groups', quick: true, run: (b) => groups(b, 3) },
    { name: 'optimizers', quick: true, run: (b) => allAtOnce(b, 3) },
    { name: 'subnormal', quick: true, run: denormals(flat(100)) },
    { name: 'clipped', quick: true, run: clipping(flat(100)) },
    { name: 'slow', quick: false, run: async () => expect.unreachable() },
  ];

  it('measures every row in turn with its limits, and writes what it measured', async () => {
    // Stands for Python: answers as torch_peer.py does.
    writeFileSync(
      file('torch.mjs'),
      `import { createInterface } from 'node:readline';
       console.log('{}');
       for await (const line of createInterface({ input: process.stdin })) {
         const { steps } = JSON.parse(line);
         console.log(JSON.stringify(steps ? { time: 5e6 * steps } : {}));
       }`,
    );
    const args = ['--quick', '--spells', '2', '--json', file('a.json'), '--svg', file('a.svg')];
    const torch = `${process.execPath} ${file('torch.mjs')}`;
    const { code, printed, progress } = await bench([...args, '--torch', torch], tiny);
    expect(code).toBe(0);
    expect(progress).toContain('spell 2 of 2: groups');
    expect(readFileSync(file('a.svg'), 'utf8')).toContain('<polyline');
    const { series, mode, machine }: Measured = JSON.parse(readFileSync(file('a.json'), 'utf8'));
    expect(mode).toBe('quick');
    expect(machine.node).toBe(process.version);
    for (const { spells, subject } of series) {
      expect(spells, subject).toHaveLength(2);
      const times = spells.flat().filter((time) => time !== null);
      expect(times.length, subject).toBeGreaterThan(0);
      expect(Math.min(...times), subject).toBeGreaterThan(0);
    }
    const subjects = (work: string, optimizer: string) =>
      series
        .filter((one) => one.work === work && one.optimizer === optimizer && one.threads === 1)
        .map((one) => one.subject);
    const { stream, divider, arena, separate, empty } = SUBJECTS;
    const others = ['plain JavaScript', 'gradstep/portable', 'torch fused'];
    const alone = [stream, SUBJECTS.flat, separate, empty, ...others];
    expect(subjects('1e2', 'AdamW')).toEqual(expect.arrayContaining([divider, ...alone]));
    expect(subjects('1e2', 'SGD')).toEqual(expect.arrayContaining(alone));
    expect(subjects('1e2', 'SGD')).not.toContain(divider);
    const lists = [stream, SUBJECTS.flat, arena, separate, ...others];
    expect(subjects('3 × 20', 'SGD')).toEqual(expect.arrayContaining(lists));
    const added = [`adding, ${arena}`, `adding, ${separate}`];
    expect(subjects('3 groups', 'AdamW')).toEqual(expect.arrayContaining([arena, ...added]));
    expect(subjects('1e2, clipped', 'SGD')).toEqual([stream, SUBJECTS.flat, SUBJECTS.clipped]);
    expect(printed).toContain('One parameter, against the limits');
    expect(printed).toMatch(
      /subnormal state at 1e2, AdamW, 1 thread +\S+ × .* with flushDenormals/,
    );
    expect(printed).toMatch(/maxGradNorm at 1e2, SGD\+momentum, 2 threads/);
  });

  it('reports the same from the file', async () => {
    const { code, printed } = await bench(['--from', file('a.json')]);
    expect(code).toBe(0);
    expect(printed).toContain('3 × 20');
  });

  it('says what failed', async () => {
    const { printed } = await bench(['--quick', '--only', '1e2', '--torch', 'no-such'], tiny);
    expect(printed).toMatch(/not measured: torch: 'no-such' failed: .*ENOENT/);
    expect(printed).not.toContain('3 × 20');
  });

  it.each([
    ["console.log('no JSON'); setInterval(() => {}, 1e6)", /torch: '.*' failed: .*JSON/],
    ["console.log('{}'); process.stdin.once('data', () => process.exit())", /it ended at 1e2/],
  ])('goes on without a torch that misbehaves: %s', async (program, sentence) => {
    writeFileSync(file('wrong.mjs'), program);
    const torch = `${process.execPath} ${file('wrong.mjs')}`;
    const { code, printed } = await bench(['--quick', '--only', '1e2', '--torch', torch], tiny);
    expect(code).toBe(0);
    expect(printed).toMatch(sentence);
    expect(printed).toContain('One parameter, against the limits');
  });
});

describe('the command', () => {
  it('tells by its exit code whether targets were missed', async () => {
    writeFileSync(file('b.json'), JSON.stringify(measured));
    const { code, printed } = await bench(['--from', file('b.json'), '--check']);
    expect(code).toBe(0);
    expect(printed).toMatch(/targets: \d+ reached, \d+ within noise, 0 missed, \d+ not measured/);
    const slow = measured.series.map((one) =>
      one.subject === SUBJECTS.flat ? { ...one, spells: [[1e9, 1e9, 1e9]] } : one,
    );
    writeFileSync(file('c.json'), JSON.stringify({ ...measured, series: slow }));
    expect((await bench(['--from', file('c.json'), '--check'])).code).toBe(1);
    expect((await bench(['--from', file('c.json')])).code).toBe(0);
  });

  it.each([['--fast'], ['--spells', '0'], ['--spells', 'many']])(
    'refuses %s %s',
    async (...args) => {
      const { code, progress } = await bench(args);
      expect(code).toBe(2);
      expect(progress).toContain('npm run bench -- [options]');
    },
  );

  it('runs compiled, as `npm run bench` runs it', () => {
    writeFileSync(file('d.json'), JSON.stringify(measured));
    const script = join(root, 'bench', 'dist', 'bench', 'main.js');
    const printed = execFileSync(process.execPath, [script, '--from', file('d.json')]);
    expect(printed.toString()).toContain('One parameter, against the limits');
  });

  it('takes its Python from the environment', () => {
    const environment = { GRADSTEP_BENCH_TORCH: 'a b' };
    expect(readOptions([], environment)).toMatchObject({ torch: 'a b', spells: 3 });
    expect(readOptions(['--quick'], {})).toMatchObject({ torch: '', spells: 1, quick: true });
    expect(readOptions(['--torch', 'c'], environment).torch).toBe('c');
  });
});

describe('what is measured', () => {
  it('has the sizes that it is named for', () => {
    expect(flat(1e6)).toEqual({ name: '1e6', lengths: [1_000_000] });
    expect([lenet.lengths.length, valuesOf(lenet)]).toEqual([10, 61_706]);
    expect([resnet50.lengths.length, valuesOf(resnet50)]).toEqual([161, 25_557_032]);
  });

  it('covers every target', () => {
    const names = new Set(rows.map(({ name }) => name));
    for (const { setting } of targets) expect(names).toContain(setting.work);
  });

  it('has gradients everywhere, none near zero', () => {
    for (const length of [0, 1, 1000, 16_384, 40_000]) {
      const grad = new Float32Array(length);
      fillGradient(grad);
      expect(grad.every((value) => Math.abs(value) >= 0.0049)).toBe(true);
    }
  });

  it('runs at least three rounds, each subject in turn', async () => {
    const calls: string[] = [];
    const make = (name: string) => ({
      name,
      run(steps: number) {
        calls.push(name);
        return steps * 1e7;
      },
    });
    expect(await interleave([make('a'), make('b')], { seconds: 0 })).toEqual([
      [1e7, 1e7, 1e7],
      [1e7, 1e7, 1e7],
    ]);
    expect(calls.slice(4).join('')).toBe('abbaab'); // after two calls each to find the burst
  });
});
