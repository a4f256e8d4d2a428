/** Steps on another thread: the same bits, a free event loop, and no way to pull memory away. */

import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import {
  Adam,
  AdamW,
  clipGradNorm,
  EMA,
  getTotalNorm,
  ParameterArena,
  SGD,
} from '../../lib/index.ts';
import {
  bits,
  expectError,
  forEachOptimizer,
  onEachBackend,
  parameter,
} from '../support/helpers.ts';

function arenaOf(...lengths: number[]): ParameterArena {
  const arena = new ParameterArena(lengths.map((length) => [length]));
  arena.parameters.forEach((p, i) => {
    p.data.set(Float32Array.from(p.data, (_, j) => Math.sin(i + j)));
    p.grad!.set(Float32Array.from(p.data, (_, j) => Math.cos(i * 3 + j)));
  });
  return arena;
}

async function expectRejection(promise: Promise<unknown>, code: string, text: string) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expectError(
    () => {
      throw error;
    },
    code,
    text,
  );
}

forEachOptimizer((row) => {
  it('steps as step() does', async () => {
    const [a, b] = [arenaOf(5, 70_000, 33), arenaOf(5, 70_000, 33)];
    const options = { ...row.withState, maxGradNorm: 3, onNonFinite: 'skip' };
    const [sync, async] = [row.make(a.parameters, options), row.make(b.parameters, options)];
    for (let i = 0; i < 3; i++) {
      sync.step();
      expect(await async.stepAsync()).toBeUndefined();
    }
    expect(bits(b.data)).toEqual(bits(a.data));
    expect(async.lastStep).toEqual(sync.lastStep);
    a.parameters.forEach((p, i) => {
      expect(async.state.get(b.parameters[i]!)).toEqual(sync.state.get(p));
    });
  });
});

onEachBackend(() => {
  it('lets timers run also when it is refused again and again', async () => {
    const optimizer = new SGD([parameter()]);
    optimizer.dispose();
    let isRunning = true;
    setTimeout(() => {
      isRunning = false;
    });
    let refusals = 0;
    while (isRunning) {
      await optimizer.stepAsync().catch(() => {
        refusals += 1;
      });
    }
    expect(refusals).toBeGreaterThan(0);
  });

  it('awaits its closure, runs hooks around it, and gives the loss', async () => {
    const { parameters } = arenaOf(4);
    const o = new SGD(parameters, { lr: 1 });
    const seen: string[] = [];
    o.registerStepPreHook(() => void seen.push('pre'));
    o.registerStepPostHook(() => void seen.push('post'));
    parameters[0]!.data.fill(0);
    const loss = await o.stepAsync(async () => {
      await null;
      seen.push('closure');
      parameters[0]!.grad!.fill(2);
      return 'loss';
    });
    expect([loss, seen]).toEqual(['loss', ['pre', 'closure', 'post']]);
    expect([...parameters[0]!.data]).toEqual([-2, -2, -2, -2]);
  });

  it('rejects with what anything throws, and changes nothing', async () => {
    const { parameters, data } = arenaOf(4);
    const o = new SGD(parameters, { lr: 1 });
    const before = bits(data);
    const boom = new Error('boom');
    await expect(o.stepAsync(() => Promise.reject(boom))).rejects.toBe(boom);
    await expectRejection(o.stepAsync(5 as never), 'ERR_INVALID_ARGUMENT', 'closure');
    const wrong = [{ sginal: undefined }, { signal: 1 }, null, 'x'] as never[];
    for (const options of wrong) {
      await expectRejection(o.stepAsync(undefined, options), 'ERR_INVALID_ARGUMENT', 'signal');
    }
    const controller = new AbortController();
    const { signal } = controller;
    await expect(
      o.stepAsync(() => controller.abort(new Error('changed my mind')), { signal }),
    ).rejects.toThrow('changed my mind');
    await expect(o.stepAsync(undefined, { signal })).rejects.toThrow('changed my mind');
    o.stepOptions.onNonFinite = 'error';
    parameters[0]!.grad![1] = Number.NaN;
    await expectRejection(o.stepAsync(), 'ERR_NON_FINITE', 'at index 0 (group 0)');
    parameters[0]!.grad![1] = 1;
    expect(bits(data)).toEqual(before);
    await o.stepAsync();
    o.dispose();
    await expectRejection(o.stepAsync(), 'ERR_DISPOSED', 'disposed');
  });

  it('steps or changes nothing, wherever a proxy around its signal throws', async () => {
    const { parameters, data } = arenaOf(4);
    const o = new SGD(parameters, { lr: 1 });
    const ema = new EMA(parameters).attach(o);
    const outcomes = new Set<boolean>();
    for (let last = 0; last < 30; last++) {
      let gets = 0;
      const signal = new Proxy(new AbortController().signal, {
        get(target, key) {
          if (gets++ >= last) throw new Error('a trap');
          return Reflect.get(target, key, target);
        },
      });
      const [before, averaged] = [bits(data), ema.nAveraged];
      const stepped = await o.stepAsync(undefined, { signal }).then(
        () => true,
        () => false,
      );
      expect(bits(data).join() !== before.join()).toBe(stepped);
      expect(ema.nAveraged - averaged).toBe(Number(stepped));
      outcomes.add(stepped);
      o.step();
    }
    expect(outcomes.size).toBe(2);
  });

  it('refuses memory that could go away', async () => {
    const p = parameter(4);
    const o = new SGD([['w', p]], { lr: 1 });
    await expectRejection(o.stepAsync(), 'ERR_NOT_SHARED', "data of parameter 'w'");
    p.data = new Float32Array(new SharedArrayBuffer(16));
    await expectRejection(o.stepAsync(), 'ERR_NOT_SHARED', "grad of parameter 'w'");
    p.grad = null;
    await o.stepAsync(); // what has no gradient is not touched
    p.grad = new Float32Array(new SharedArrayBuffer(16)).fill(1);
    await o.stepAsync();
    expect(p.data[3]).toBe(-1);
  });
});

describe('while a step is under way', () => {
  const LARGE = 3_000_000;

  it('every call that touches its memory is refused, and hyperparameters count later', async () => {
    const { parameters } = arenaOf(LARGE);
    const p = parameters[0]!;
    const o = new AdamW(parameters, { lr: 0 });
    o.step();
    const first = p.data[7]!;
    const running = o.stepAsync();
    const calls: (() => unknown)[] = [
      () => o.step(),
      () => o.zeroGrad(),
      () => o.zeroGrad({ setToNone: false }),
      () => o.addParamGroup({ params: parameter() }),
      () => o.state.get(p),
      () => o.state.has(p),
      () => [...o.state],
      () => o.dispose(),
      () => Object.assign(o.paramGroups[0]!, { amsgrad: true }),
    ];
    for (const call of calls) expectError(call, 'ERR_BUSY', 'asynchronous step');
    const refused = expectRejection(o.stepAsync(), 'ERR_BUSY', 'await it first');
    o.paramGroups[0]!.lr = 0.5;
    o.stepOptions.gradScale = 0;
    const other = new SGD([{ data: p.data, grad: new Float32Array(LARGE).fill(1) }], { lr: 1 });
    expectError(() => other.step(), 'ERR_BUSY', 'at index 0 (group 0)');
    await Promise.all([running, refused]);
    expect(p.data[7]).toBe(first); // lr was 0 when it started
    expect(o.state.get(p)).toMatchObject({ step: 2 });
    other.step();
    o.paramGroups[0]!.amsgrad = true;
    await o.stepAsync();
    expect(p.data[7]).not.toBe(first);
    o.dispose();
  });

  it('two may read the same gradients, but none may write them', async () => {
    const grads = arenaOf(LARGE);
    const grad = grads.parameters[0]!.grad!;
    const make = (options = {}) => {
      const data = new Float32Array(new SharedArrayBuffer(LARGE * 4));
      return new Adam([{ data, grad }], { lr: 1, ...options });
    };
    const [a, b, c] = [make(), make(), make({ zeroGradInStep: true })];
    const running = [a.stepAsync(), b.stepAsync()];
    expectError(() => c.step(), 'ERR_BUSY', 'await it first');
    expectError(() => clipGradNorm(grads.parameters, 1), 'ERR_BUSY', 'asynchronous step');
    const norm = getTotalNorm(grads.parameters);
    await Promise.all(running);
    const zeroing = c.stepAsync();
    expectError(() => getTotalNorm(grads.parameters), 'ERR_BUSY', 'working on these gradients');
    await zeroing;
    expect([norm > 0, getTotalNorm(grads.parameters), grad[5]]).toEqual([true, 0, 0]);
  });

  it('the event loop stays free', async () => {
    const { parameters } = arenaOf(20_000_000);
    const o = new AdamW(parameters, { maxGradNorm: 1 });
    o.step();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    let turns = 0;
    let running = true;
    const turn = () => {
      turns += 1;
      if (running) setImmediate(turn);
    };
    delay.enable();
    turn();
    await o.stepAsync();
    running = false;
    delay.disable();
    expect(turns).toBeGreaterThan(50); // a step on this thread would leave one
    o.dispose();
  });

  it('a worker can be terminated, and a process can exit', async () => {
    const code = (end: string, options = '{}') => `
      import { AdamW, ParameterArena } from ${JSON.stringify(
        new URL('../../dist/index.js', import.meta.url).href,
      )};
      import { parentPort } from 'node:worker_threads';
      const arena = new ParameterArena([[8_000_000]]);
      arena.grad.fill(1);
      const o = new AdamW(arena.parameters, ${options});
      arena.grad[7_000_000] = NaN;
      o.stepAsync().catch(() => {});
      parentPort.postMessage('running');
      ${end}`;
    const stay = 'setInterval(() => {}, 1000)';
    const fails = "{ onNonFinite: 'error' }"; // then the failure has nobody to go to
    const runs = [[stay], ['process.exit(3)'], [stay, fails], ['process.exit(3)', fails]] as const;
    for (const [end, options] of runs) {
      const source = new URL(`data:text/javascript,${encodeURIComponent(code(end, options))}`);
      const worker = new Worker(source);
      await once(worker, 'message');
      if (end === stay) await worker.terminate();
      else await once(worker, 'exit');
    }
    const { parameters } = arenaOf(100_000);
    await new SGD(parameters, { lr: 1 }).stepAsync(); // the process and its pool live on
  });
});
