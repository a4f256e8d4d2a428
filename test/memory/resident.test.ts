/** What a process takes of the machine, by its resident size. */

import { describe, expect, it } from 'vitest';
import { least, peak, run } from './child.ts';

const MODEL = 'const p = Parameter.zeros([1e6]); p.ensureGrad().fill(1);';

/** A hundred times 8 MB; what is made is dropped when the next has been made. */
const loop = (make: string) => `${MODEL}
let last;
for (let i = 0; i < 100; i++) { ${make} }`;

const ordinary = peak(
  loop('last = [new Float32Array(1e6).fill(1), new Float32Array(1e6).fill(1)];'),
  'native',
);

const loops: [string, string][] = [
  ['optimizers that are disposed of', 'const o = new Adam([p]); o.step(); o.dispose();'],
  ['optimizers that are dropped', 'last = new Adam([p]); last.step();'],
  ['arenas', 'last = new ParameterArena([[1e6]]); last.data.fill(1); last.grad.fill(1);'],
  [
    'averages that were swapped, disposed of',
    'const e = new EMA([p]); e.swap(); e.restore(); e.dispose();',
  ],
  ['averages that are dropped', 'last = new EMA([p]); last.update();'],
];

describe.each(['native', 'wasm', 'portable'] as const)('%s backend', (backend) => {
  // A memory of WebAssembly never shrinks, and one that is empty stays as a spare.
  const factor = backend === 'wasm' ? 1.5 : 1.3;

  it.each(loops)(`takes no more than ${factor} times what ordinary arrays do: %s`, (_, make) => {
    const bound = factor * ordinary;
    expect(least(bound, () => peak(loop(make), backend))).toBeLessThan(bound);
  });

  it('has room for a hundred thousand small optimizers in a gigabyte', () => {
    const program = (count: number) => `
      const all = [];
      for (let i = 0; i < ${count}; i++) {
        const p = new Parameter(new Float32Array(10));
        p.ensureGrad().fill(1);
        const o = new Adam([p]);
        o.step();
        all.push(o);
      }`;
    const each = () => (peak(program(30_000), backend) - peak(program(5000), backend)) / 25_000;
    const bound = 9500; // bytes; a process without any takes 50 MB
    expect(least(bound, each)).toBeLessThan(bound);
  });

  it('keeps nothing of small optimizers that were dropped', () => {
    const body = `
      const sizes = [];
      for (let round = 0; round < 6; round++) {
        const all = Array.from({ length: 5000 }, () => new Adam([new Parameter([1, 2, 3])]));
        gradstep.stepAll(all);
        all.length = 0;
        await turn();
        sizes.push(rss());
      }
      say(sizes);`;
    const sizes = run(body, backend, { gc: true }) as number[];
    // 5,000 of them take 50 MB; of four rounds not one may stay.
    expect(sizes[5]! - sizes[1]!).toBeLessThan(25e6);
  });

  it('takes no more at every change of options that were switched off before a step', () => {
    const body = `${MODEL}
      const o = new Adam([p]);
      const [group] = o.paramGroups;
      for (let i = 0; i < 100; i++) {
        group.amsgrad = true;
        group.amsgrad = false;
        o.override(p, { amsgrad: true });
        o.override(p, null);
        o.resetState();
      }`;
    const once = peak(body.replace('i < 100', 'i < 1'), backend);
    // A block of the third kind is 4 MB.
    expect(least(once + 40e6, () => peak(body, backend))).toBeLessThan(once + 40e6);
  });

  it('takes no more at every parameter that takes the place of another', () => {
    const body = `
      let p = Parameter.zeros([1000]);
      const index = p.data.keys().toArray?.() ?? [...p.data.keys()];
      const o = new Adam([Parameter.zeros([1000]), p]);
      for (let i = 0; i < 30_000; i++) {
        const next = new Parameter(p.data);
        o.replaceParameter(p, next, i % 3 === 0 ? {} : i % 3 === 1 ? { state: 'reset' } : { index });
        p = next;
      }`;
    const few = peak(body.replace('30_000', '300'), backend);
    // 64 bytes a call are 2 MB, state of 8 kB in two of three calls 160 MB.
    expect(least(few + 60e6, () => peak(body, backend))).toBeLessThan(few + 60e6);
  });
});

describe('wasm backend', () => {
  it('has a thousand optimizers made and dropped in the memory of a few', () => {
    const body = (count: number) => `
      const p = Parameter.zeros([40_000]);
      p.ensureGrad().fill(1);
      for (let i = 0; i < ${count}; i++) new Adam([p]).step();`;
    const few = peak(body(100), 'wasm');
    // All of them take 320 MB of state, and a gigabyte of spaces.
    expect(least(few + 120e6, () => peak(body(1000), 'wasm'))).toBeLessThan(few + 120e6);
  });
});

describe('native backend', () => {
  it('gives what an optimizer takes to the system when it is disposed of', () => {
    const body = `
      const p = Parameter.zeros([1e7]);
      p.ensureGrad().fill(1);
      p.data.fill(1);
      const before = rss();
      const o = new Adam([p]);
      o.step();
      const between = rss();
      o.dispose();
      say([between - before, rss() - before]);`;
    const [taken, left] = run(body, 'native') as [number, number];
    expect(taken).toBeGreaterThan(78e6);
    expect(left).toBeLessThan(10e6);
  });

  it('gives the state of parameters back that are removed', () => {
    const body = `
      const params = Array.from({ length: 10 }, () => Parameter.zeros([1e6]));
      for (const p of params) p.ensureGrad().fill(1);
      const o = new Adam(params);
      o.step();
      const before = rss();
      o.removeParameters(params.slice(1));
      say(before - rss());`;
    expect(run(body, 'native')).toBeGreaterThan(65e6); // nine times 8 MB
  });
});
