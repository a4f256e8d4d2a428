/** The wasm backend: where it steps, in whose memory, and what it does where it cannot. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { base64 as relaxed } from '../../lib/backend/wasm/modules/wasm-relaxed-simd.ts';
import { base64 as plain } from '../../lib/backend/wasm/modules/wasm-simd128.ts';
import { compile, instantiate, isExact } from '../../lib/backend/wasm/modules.ts';
import { Space, spaceOf } from '../../lib/backend/wasm/space.ts';
import {
  AdamW,
  type BackendName,
  backend,
  clipGradNorm,
  isa,
  Parameter,
  ParameterArena,
  SGD,
  setBackend,
} from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { bits } from '../support/helpers.ts';
import { WASM_ISAS } from '../support/wasm.ts';

const LARGE = 40_000; // floats: worth a space

beforeAll(() => setBackend('wasm'));
afterAll(() => setBackend('native'));

/** What a program leaves on each backend that computes in TypeScript or WebAssembly. */
function onBoth(program: () => Float32Array<ArrayBufferLike>[]): number[][][] {
  return (['wasm', 'portable'] as const satisfies BackendName[]).map((name) => {
    setBackend(name);
    const left = program().map(bits);
    setBackend('wasm');
    return left;
  });
}

function filled(length: number, seed: number): Parameter {
  const p = Parameter.zeros([length]);
  fill(p.data as Float32Array, 'special', seed, 0, 0);
  fill(p.ensureGrad() as Float32Array, 'normal', seed, 1, 0);
  return p;
}

describe('memory', () => {
  it('has arenas and the state of what lies there in one space', () => {
    const arena = new ParameterArena([[LARGE], [3]]);
    arena.grad.fill(1);
    const optimizer = new AdamW(arena.parameters);
    optimizer.step();
    const state = optimizer.state.get(arena.parameters[0]!)!;
    expect(spaceOf(arena.data)).toBeInstanceOf(Space);
    expect(spaceOf(arena.grad)).toBe(spaceOf(arena.data));
    expect(spaceOf(state.expAvg)).toBe(spaceOf(arena.data));
    expect(spaceOf(state.expAvgSq)).toBe(spaceOf(arena.data));
  });

  it('has the state of large arrays of users in a space of each optimizer, of small ones in none', () => {
    const large = filled(LARGE, 1);
    const small = filled(3, 2);
    const [one, two] = [new AdamW([large]), new AdamW([small])];
    one.step();
    two.step();
    expect(spaceOf(large.data)).toBeUndefined();
    expect(spaceOf(one.state.get(large)!.expAvg)).toBeInstanceOf(Space);
    expect(spaceOf(two.state.get(small)!.expAvg)).toBeUndefined();
  });

  it('grows in mid-run, and nothing that lay there moves', () => {
    const [wasm, portable] = onBoth(() => {
      const arena = new ParameterArena([[LARGE]]);
      const [first] = arena.parameters;
      fill(arena.data as Float32Array, 'normal', 5, 0, 0);
      const optimizer = new AdamW([first!]);
      const others: Parameter[] = [];
      for (let step = 1; step < 9; step++) {
        fill(arena.grad as Float32Array, 'scaled', 5, step, 0);
        optimizer.step();
        const state = optimizer.state.get(first!)!.expAvg;
        others.push(filled(LARGE * step, step));
        optimizer.addParamGroup({ params: [others.at(-1)!] });
        expect(optimizer.state.get(first!)!.expAvg).toBe(state);
      }
      return [first!, ...others].flatMap((p) => {
        const state = optimizer.state.get(p);
        return [p.data, ...(state ? [state.expAvg, state.expAvgSq] : [])];
      });
    });
    expect(wasm).toEqual(portable);
  });

  it('may be two memories at once, and a heap of somebody that grows', () => {
    const [wasm, portable] = onBoth(() => {
      const { Memory } = Reflect.get(globalThis, 'WebAssembly');
      const heap = new Memory({ initial: 8 });
      // As TensorFlow.js has it: views are made anew, since growth takes the old ones away.
      const inHeap = {
        get data() {
          return new Float32Array(heap.buffer, 64, LARGE);
        },
        get grad() {
          return new Float32Array(heap.buffer, 64 + LARGE * 4, LARGE);
        },
      };
      const [a, b] = [new ParameterArena([[LARGE]]), new ParameterArena([[LARGE, 2]])];
      const params = [inHeap, ...a.parameters, ...b.parameters];
      for (const [i, p] of params.entries()) fill(p.data as Float32Array, 'normal', 6, 0, i);
      const optimizer = new SGD(params, { lr: 0.1, momentum: 0.9, maxGradNorm: 1 });
      for (let step = 1; step < 5; step++) {
        for (const [i, p] of params.entries()) {
          fill(p.grad as Float32Array, 'normal', 6, step, i);
        }
        optimizer.step();
        heap.grow(3);
      }
      return params.map((p) => p.data.slice());
    });
    expect(wasm).toEqual(portable);
  });

  it('still works where no address is left', () => {
    const outcome = () => {
      const arena = new ParameterArena([[LARGE]]);
      const p = filled(LARGE, 7);
      const optimizer = new AdamW([...arena.parameters, p]);
      for (let step = 0; step < 3; step++) optimizer.step();
      return [p.data, arena.data, optimizer.state.get(p)!.expAvgSq];
    };
    const expected = outcome().map(bits);
    const none = vi.spyOn(Space, 'growing').mockReturnValue(undefined);
    const full = vi.spyOn(Space.prototype, 'allocate').mockReturnValue(undefined);
    const left = outcome();
    none.mockRestore();
    full.mockRestore();
    expect(spaceOf(left[0]!) ?? spaceOf(left[1]!) ?? spaceOf(left[2]!)).toBeUndefined();
    expect(left.map(bits)).toEqual(expected);
  });

  it('is given out again, zeroed, when nobody has it', () => {
    const space = Space.growing()!;
    const first = space.allocate(4096)!;
    first.fill(1);
    space.giveBack(new Uint8Array(first.buffer, first.byteOffset, first.byteLength));
    const second = space.allocate(2048)!;
    expect(second.byteOffset).toBe(first.byteOffset);
    expect(second.every((x) => x === 0)).toBe(true);
    expect(space.allocate(4096)!.byteOffset).toBeGreaterThan(first.byteOffset);
  });
});

describe('lengths', () => {
  it('of every rest, gathered or alone, give the same bits, treated or not', () => {
    const [wasm, portable] = onBoth(() => {
      const params = [...Array(40).keys(), 511, 512, 513, 4096, 4097, 12_291].map(filled);
      const treated = { maxGradNorm: 0.5, clipScope: 'param', gradScale: 0.7 } as const;
      const one = new AdamW(params, { amsgrad: true, maximize: true });
      const two = new SGD(params, { lr: 0.1, momentum: 0.9, weightDecay: 0.1, ...treated });
      for (let step = 0; step < 3; step++) {
        one.step();
        two.step();
      }
      clipGradNorm(params, 0.25, { normType: 3 });
      return params.flatMap((p) => [p.data, p.grad!, one.state.get(p)!.expAvg]);
    });
    expect(wasm).toEqual(portable);
  });
});

describe('modules', () => {
  const sizeOf = (base64: string) => gzipSync(Buffer.from(base64, 'base64'), { level: 9 }).length;

  it('are small together, and there at once', () => {
    expect(sizeOf(plain) + sizeOf(relaxed)).toBeLessThan(60_000);
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      const code = compile('wasm-simd128', true);
      const { Memory } = Reflect.get(globalThis, 'WebAssembly');
      instantiate(code, new Memory({ initial: 3, maximum: 3, shared: true }));
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(20); // alone on a machine: 2 ms
  });

  it('are taken by what they compute', () => {
    expect(WASM_ISAS).toContain('wasm-simd128');
    expect(isExact(compile('wasm-simd128', false))).toBe(true);
    expect(isExact(compile('wasm-simd128', true))).toBe(true);
    expect([backend(), isa()]).toEqual(['wasm', WASM_ISAS[0]]);
  });
});

describe('a process of its own', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const show = `
    import { SGD, Parameter, backend } from 'gradstep/portable';
    const p = new Parameter([1]);
    p.ensureGrad().fill(1);
    new SGD([p], { lr: 0.5 }).step();
    console.log(backend(), p.data[0]);`;
  const run = (script: string, args: string[] = [], env = {}) =>
    promisify(execFile)(process.execPath, [...args, '--input-type=module', '--eval', script], {
      cwd: root,
      env: { ...process.env, ...env },
    });

  it('steps in WebAssembly where it loads gradstep/portable alone', async () => {
    expect(await run(show)).toEqual({ stdout: 'wasm 0.5\n', stderr: '' });
  });

  it('is asked by GRADSTEP_BACKEND', async () => {
    const portable = await run(show, [], { GRADSTEP_BACKEND: 'portable' });
    expect(portable).toEqual({ stdout: 'portable 0.5\n', stderr: '' });
    const all = show.replace('gradstep/portable', 'gradstep');
    expect(await run(all, [], { GRADSTEP_BACKEND: 'wasm' })).toEqual({
      stdout: 'wasm 0.5\n',
      stderr: '',
    });
  });

  // As a page's policy forbids it, and as an engine without it.
  const FORBIDDEN = `
    globalThis.WebAssembly = { ...WebAssembly, Memory: WebAssembly.Memory, Module: class {
      constructor() { throw new EvalError('refused by the policy'); }
    } };`;
  it.each([
    [FORBIDDEN, 'refused by the policy'],
    ['delete globalThis.WebAssembly;', 'There is no WebAssembly here'],
  ])('is portable with one warning where there is none: %s', async (before, reason) => {
    const script = `${before} ${show.replace('import {', 'const {').replace("} from 'gradstep/portable'", "} = await import('gradstep/portable')")}
      new SGD([p]).step();`;
    const { stdout, stderr } = await run(script);
    expect(stdout).toBe('portable 0.5\n');
    expect(stderr.match(/ERR_WASM_UNAVAILABLE/g)).toHaveLength(1);
    expect(stderr).toContain(reason);
    const forced = run(script, [], { GRADSTEP_BACKEND: 'wasm' });
    await expect(forced).rejects.toThrow('ERR_WASM_UNAVAILABLE');
  });
});
