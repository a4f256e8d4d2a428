/** Memory that a step in the background works on: whoever asks for it is refused, in any way. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import {
  Adam,
  clipGradNorm,
  clipGradsWithNorm,
  clipGradValue,
  EMA,
  GradScaler,
  getTotalNorm,
  Optimizer,
  ParameterArena,
  SGD,
  setBackend,
} from '../../lib/index.ts';
import { bits, expectError } from '../support/helpers.ts';

type Floats = Float32Array<ArrayBufferLike>;

const LARGE = 3_000_000;

class Own extends Optimizer<{ lr: number }> {
  static defaults = { lr: 1 };
  during = () => {};
  override update({ data }: { data: Floats }): void {
    this.during();
    data[0] = 7;
  }
}

afterEach(() => setBackend('native'));

describe('while a native step is in the background', () => {
  const start = (options: object = {}) => {
    const arena = new ParameterArena([[LARGE]]);
    arena.grad.fill(1);
    const [p] = arena.parameters;
    const o = new Adam(arena.parameters, options);
    return { p: p!, arena, o };
  };

  it.each([
    ['native', 'native'],
    ['wasm', 'wasm'],
    ['portable', 'portable'],
  ] as const)('the %s backend writes none of its memory', async (_name, name) => {
    const { p, o } = start({ zeroGradInStep: true });
    const view = { data: p.data, grad: new Float32Array(LARGE) };
    const sameGrad = { data: new Float32Array(LARGE), grad: p.grad! };
    setBackend(name);
    const [stepping, zeroing] = [new SGD([view]), new SGD([sameGrad])];
    const averages = [new EMA([view]), new EMA([view])];
    averages[1]!.swap();
    const scaler = new GradScaler();
    scaler.scale(1);
    const running = o.stepAsync();
    const calls: Record<string, () => unknown> = {
      step: () => stepping.step(),
      'zeroGrad in place': () => zeroing.zeroGrad({ setToNone: false }),
      update: () => averages[0]!.update(),
      swap: () => averages[0]!.swap(),
      restore: () => averages[1]!.restore(),
      getTotalNorm: () => getTotalNorm([sameGrad]),
      clipGradNorm: () => clipGradNorm([sameGrad], 1),
      clipGradsWithNorm: () => clipGradsWithNorm([sameGrad], 1, 2),
      clipGradValue: () => clipGradValue([sameGrad], 0.5),
      'GradScaler.unscale': () => scaler.unscale(zeroing as never),
    };
    for (const [what, call] of Object.entries(calls)) {
      expectError(call, 'ERR_BUSY', 'asynchronous step is working on');
      expect(what).toBeTypeOf('string');
    }
    await running;
    expect([averages[0]!.swapped, averages[1]!.swapped, stepping.lastStep]).toEqual([
      false,
      true,
      undefined,
    ]);
    averages[1]!.restore();
    for (const call of [calls.step!, calls.update!, calls.swap!, calls.getTotalNorm!]) call();
  });

  it('an update of a user’s own is not called over it', async () => {
    const { p, o } = start();
    const own = new Own([{ data: p.data, grad: new Float32Array(LARGE) }]);
    const running = o.stepAsync();
    expectError(() => own.step(), 'ERR_BUSY', 'at index 0');
    await running;
    expect(p.data[0]).not.toBe(7);
    own.step();
    expect(p.data[0]).toBe(7);
  });

  it('its state is its own, also where it lies in another optimizer', async () => {
    const { p, o } = start();
    o.step();
    const { expAvg } = o.state.get(p)!;
    const other = new SGD([{ data: expAvg, grad: new Float32Array(LARGE) }]);
    const running = o.stepAsync();
    expectError(() => other.step(), 'ERR_BUSY', 'at index 0');
    await running;
    const grad = new Float32Array(new SharedArrayBuffer(4 * LARGE));
    const over = new SGD([{ data: expAvg, grad }]).stepAsync();
    const saved = o.stateDict();
    for (const write of [() => o.resetState(), () => o.loadStateDict(saved)]) {
      expectError(write, 'ERR_BUSY', 'another optimizer is working on this state');
    }
    await over;
    o.resetState();
    other.step();
  });
});

it('no step goes to the background over memory that an update is working on', async () => {
  const { parameters } = new ParameterArena([[1000]]);
  parameters[0]!.ensureGrad().fill(1);
  const own = new Own(parameters);
  const other = new SGD(parameters, { lr: 1 });
  let refused: Promise<unknown> | undefined;
  own.during = () => {
    refused = other.stepAsync();
    refused.catch(() => {});
  };
  own.step();
  await expect(refused).rejects.toMatchObject({ code: 'ERR_BUSY' });
  expect(parameters[0]!.data[1]).toBe(0);
  await other.stepAsync();
  expect(parameters[0]!.data[1]).toBe(-1);
});

it('a step on its own thread and one in the background never work on the same memory', async () => {
  const arena = new ParameterArena([[LARGE]]);
  arena.grad.fill(1);
  const program = `
    const { workerData, parentPort } = require('node:worker_threads');
    (async () => {
      const { ParameterArena, SGD } = await import(workerData.library);
      const arena = ParameterArena.open(workerData.arena);
      const o = new SGD(arena.parameters, { lr: 1 });
      const counts = { stepped: 0, refused: 0 };
      parentPort.postMessage('ready');
      const until = Date.now() + 400;
      while (Date.now() < until) {
        try {
          o.step();
          counts.stepped += 1;
        } catch (error) {
          if (error.code !== 'ERR_BUSY') throw error;
          counts.refused += 1;
        }
      }
      parentPort.postMessage(counts);
    })();`;
  const library = new URL('../../dist/index.js', import.meta.url).href;
  const workerData = { library, arena: arena.describe() };
  const worker = new Worker(program, { eval: true, workerData });
  await once(worker, 'message');
  const ended = once(worker, 'message');
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const o = new SGD(arena.parameters, { lr: 1 });
  const mine = { stepped: 0, refused: 0 };
  while (!isOver) {
    await o.stepAsync().then(
      () => {
        mine.stepped += 1;
      },
      (error: { code: string }) => {
        expect(error.code).toBe('ERR_BUSY');
        mine.refused += 1;
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const [theirs] = await ended;
  await worker.terminate();
  expect(theirs.stepped + mine.stepped).toBeGreaterThan(0);
  // Each step that was not refused has taken one from every value.
  const expected = new Float32Array(LARGE).fill(-(theirs.stepped + mine.stepped));
  expect(bits(arena.data.subarray(0, LARGE)).toString()).toBe(bits(expected).toString());
});
