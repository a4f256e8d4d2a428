/** Optimizers that users write. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import {
  CosineAnnealingLR,
  cosine,
  Lion,
  type Optimizer,
  Parameter,
  type ParameterLike,
  schedule,
  type Update,
} from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';
import { made, type UpdateContext } from './made.ts';
import { MyLion } from './my-lion.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { fround } = Math;

/** Lion with float32's rounding after each operation, as the built-in rule has it. */
class ExactLion extends MyLion {
  override update({ data, grad, state: { expAvg }, group }: Update<MyLion>) {
    const { lr, weightDecay } = group;
    const [beta1, beta2] = group.betas;
    const mix = (a: number, b: number, beta: number) =>
      fround(fround(1 - beta) * b + fround(a * fround(beta)));
    for (let i = 0; i < data.length; i++) {
      const sign = Math.sign(mix(expAvg[i]!, grad[i]!, beta1));
      const decayed = weightDecay === 0 ? data[i]! : data[i]! * fround(1 - lr * weightDecay);
      data[i] = fround(decayed) - fround(lr) * sign;
      expAvg[i] = mix(expAvg[i]!, grad[i]!, beta2);
    }
  }
}

/** Deterministic numbers in [-1, 1). */
function noise(length: number, seed: number): Float32Array {
  let x = seed;
  return Float32Array.from({ length }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 2 ** 31 - 1;
  });
}

function train(make: (groups: object[]) => Optimizer): Parameter[] {
  const params = [100, 7].map((length, i) => new Parameter(noise(length, i + 1)));
  const optimizer = make([
    { params: params[0], weightDecay: 0.1, name: 'w' },
    { params: params[1], lr: 1e-2 },
  ]);
  for (let t = 0; t < 20; t++) {
    for (const [i, p] of params.entries()) p.ensureGrad().set(noise(p.length, t * 2 + i + 7));
    if (t % 5 === 4) params[1]!.grad = null;
    optimizer.step();
    params[1]!.ensureGrad();
  }
  return params;
}

describe('the example of docs/optimizers.md', () => {
  const text = readFileSync(`${root}/docs/optimizers.md`, 'utf8');
  const [, example] = text.match(/```ts\n([\s\S]*?)```/)!;

  it('is of about 20 lines, and the one that is compiled and tested here', () => {
    expect(example!.trim().split('\n').length).toBeLessThanOrEqual(23);
    const tested = readFileSync(`${root}/test/optimizer/my-lion.ts`, 'utf8').replace(
      'export class',
      'class',
    );
    expect(tested).toContain(example!.slice(0, example!.indexOf('const optimizer')));
  });

  it('runs, and steps as the built-in Lion', () => {
    const script = `
      import { Lion, Parameter } from 'gradstep';
      const [w, b] = [new Parameter([1]), new Parameter([2])];
      ${example}
      const moved = (Class) => {
        const p = new Parameter([0.5, -1, 2]);
        const o = new Class([p], { lr: 1e-3, weightDecay: 0.1 });
        for (let t = 1; t < 9; t++) {
          p.ensureGrad().set([Math.sin(t), Math.cos(t), -t]);
          o.step();
        }
        return p.data;
      };
      const [own, real] = [moved(MyLion), moved(Lion)];
      console.log(real[0], Math.max(...real.map((x, i) => Math.abs(x - own[i]))));`;
    const { code } = transformSync(script, { loader: 'ts' });
    const args = ['--input-type=module', '--eval', code];
    const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    const [value, difference] = printed.split(' ').map(Number);
    expect(value).toBeCloseTo(0.4976, 4);
    expect(difference).toBeLessThan(1e-6);
  });
});

onEachBackend(() => {
  it('steps as the built-in Lion, to the bit where it rounds as that does', () => {
    const [own, exact, real] = [
      train((groups) => new MyLion(groups as never, { lr: 1e-3 })),
      train((groups) => new ExactLion(groups as never, { lr: 1e-3 })),
      train((groups) => new Lion(groups as never, { lr: 1e-3 })),
    ];
    for (const [i, { data }] of real!.entries()) {
      expect(bits(exact![i]!.data)).toEqual(bits(data));
      data.forEach((x, j) => void expect(own![i]!.data[j]).toBeCloseTo(x, 6));
    }
  });

  it('is given data, grad, state, group and step', () => {
    const seen: [UpdateContext, ParameterLike][] = [];
    const [w, v] = [parameter(3, 'w'), parameter(2, 'v')];
    const o = new (made((context) => void seen.push([context, w])))([
      { params: w, lr: 0.5, name: 'first' },
      { params: v },
    ]);
    o.step();
    v.grad = null;
    o.step();
    v.ensureGrad();
    o.step();
    const shown = seen.map(([{ data, step, group }]) => [
      data === w.data ? 'w' : 'v',
      step,
      group.lr,
    ]);
    expect(shown).toEqual([
      ['w', 1, 0.5],
      ['v', 1, 1e-4],
      ['w', 2, 0.5],
      ['w', 3, 0.5],
      ['v', 2, 1e-4],
    ]);
    const [{ data, grad, state, group }] = seen[0]!;
    expect([data, grad, group]).toEqual([w.data, w.grad, o.paramGroups[0]]);
    expect(group).toBe(o.paramGroups[0]);
    expect([data === w.data, grad === w.grad]).toEqual([true, true]);
    expect(Object.keys(state)).toEqual(['expAvg']);
    expect(state.expAvg).toBe(o.state.get(w)!.expAvg);
    expect([...state.expAvg]).toEqual([0, 0, 0]);
  });

  it('has groups with live options, checked by its defaults', () => {
    const o = new MyLion([{ params: parameter(), name: 'w', betas: [0.5, 0.25] }], { lr: 0.5 });
    const [group] = o.paramGroups;
    expect(Object.keys(group!)).toEqual(['params', 'lr', 'betas', 'weightDecay', 'name']);
    expect({ ...group }).toMatchObject({ lr: 0.5, betas: [0.5, 0.25], weightDecay: 0 });
    expect(o.defaults).toMatchObject({ lr: 0.5, betas: [0.9, 0.99], weightDecay: 0 });
    expectError(() => (group!.lr = -1), 'ERR_INVALID_OPTION', 'Invalid lr value: -1. Expected lr');
    expectError(
      () => (group!.lr = Number.NaN),
      'ERR_INVALID_OPTION',
      'lr to be a finite number >= 0',
    );
    expectError(() => (group!.weightDecay = true as never), 'ERR_INVALID_OPTION', 'weightDecay');
    expectError(() => (group!.betas = [1] as never), 'ERR_INVALID_OPTION', 'two numbers');
    expectError(
      () => Object.assign(group!, { weight_decay: 1 }),
      'ERR_UNKNOWN_OPTION',
      'weightDecay?',
    );
    expectError(() => new MyLion([], { momentum: 1 } as never), 'ERR_UNKNOWN_OPTION', 'momentum');
    expectError(
      () => o.addParamGroup({ params: parameter(), lr: -2 }),
      'ERR_INVALID_OPTION',
      'group 1',
    );
    expect(String(o)).toBe(
      [
        'MyLion (',
        "Parameter Group 0 ('w')",
        '    betas: [0.5, 0.25]',
        '    lr: 0.5',
        '    weightDecay: 0',
        ')',
      ].join('\n'),
    );
    expect(inspect(o)).toBe(String(o));
  });

  it('keeps state in memory of its own, and none before the first step', () => {
    const w = parameter();
    const o = new MyLion([w]);
    expect(o.state.size).toBe(0);
    o.step();
    expect(Object.keys(o.state.get(w)!)).toEqual(['step', 'expAvg']);
    expect(o.state.get(w)!.step).toBe(1);
    expect(o.state.get(w)!.expAvg.buffer).toBeInstanceOf(SharedArrayBuffer);
    w.grad = o.state.get(w)!.expAvg;
    expectError(() => o.step(), 'ERR_OVERLAP', 'state');
  });

  it('takes closures, hooks, schedulers and zeroGrad as any other', () => {
    const w = new Parameter([1]);
    const o = new MyLion([w], { lr: 0.5 });
    const log: number[] = [];
    o.registerStepPreHook(() => void log.push(w.data[0]!));
    o.registerStepPostHook(() => void log.push(w.data[0]!));
    const scheduler = new CosineAnnealingLR(o, { TMax: 2 });
    const bound = schedule(o, { weightDecay: cosine({ from: 0.5, to: 0, steps: 2 }) });
    const loss = o.step(() => {
      w.ensureGrad()[0] = 1;
      return 3;
    });
    scheduler.step();
    bound.step();
    expect(loss).toBe(3);
    expect(log).toEqual([1, 0.25]); // 1 * (1 - 0.5 * 0.5) - 0.5
    expect(o.paramGroups[0]!.lr).toBeCloseTo(0.25);
    expect(o.paramGroups[0]!.weightDecay).toBeCloseTo(0.25);
    o.zeroGrad();
    expect(w.grad).toBeNull();
  });

  it('is given its gradient as it is, whatever its options are called, and parameters whole', () => {
    const seen: number[] = [];
    const Own = made(({ grad }) => void seen.push(grad[0]!, grad.length), {
      defaults: { maximize: true },
    });
    const w = parameter(10_000);
    new Own([w], { maximize: true } as never).step();
    expect(seen).toEqual([w.grad![0], 10_000]);
  });
});
