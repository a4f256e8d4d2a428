/** Callers that reach into a step: nothing of theirs runs where it could, and nothing is half done. */

import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Adam, combine, EMA, Optimizer, ParameterArena, SGD, stepAll } from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

type Floats = Float32Array<ArrayBufferLike>;

const transfer = (array: Floats) =>
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });

class Own extends Optimizer<{ lr: number }, { step: number }> {
  static defaults = { lr: 1 };
  override update({ data }: { data: Floats }): void {
    data.fill(5);
  }
}

onEachBackend(() => {
  it.each([
    'map',
    'flatMap',
    'push',
    'at',
    'every',
    'some',
    'forEach',
    'filter',
    'findIndex',
    'reduce',
    'entries',
    'keys',
  ] as const)('a replaced Array.prototype.%s cannot take memory away after the proof', (name) => {
    const original = Array.prototype[name] as (...args: unknown[]) => unknown;
    let reached = true;
    for (let turn = 1; reached; turn++) {
      const params = [parameter(20_000), parameter(20_000), parameter(3)];
      const optimizers = params.map((p) => new SGD([p], { momentum: 0.9 }));
      new EMA([params[2]!, params[0]!]).attach(optimizers[2]!);
      const { data } = params[1]!;
      const first = data[0]!;
      let seen: number | undefined; // the first value when the memory was taken away
      let calls = 0;
      Array.prototype[name] = function (this: unknown, ...args: unknown[]) {
        if (++calls === turn) {
          seen = data[0]!;
          transfer(data);
        }
        return original.apply(this, args);
      } as never;
      let error: unknown;
      try {
        stepAll(optimizers);
      } catch (thrown) {
        error = thrown;
      } finally {
        Array.prototype[name] = original as never;
      }
      reached = seen !== undefined;
      // Before the proof it is found out; when it is not, the step was over.
      if (seen === first) expect(error, `turn ${turn}`).toMatchObject({ code: 'ERR_DETACHED' });
      else expect(optimizers[1]!.state.has(params[1]!)).toBe(true);
    }
  });

  it('methods of an array’s own class are not called in the middle of a step', () => {
    class Mine extends Float32Array<ArrayBufferLike> {
      override subarray(): never {
        throw new Error('subarray');
      }
      override fill(): never {
        throw new Error('fill');
      }
      override set(): never {
        throw new Error('set');
      }
    }
    const [w, v] = [parameter(3), parameter(3)];
    const [data, grad] = [new Mine(new ArrayBuffer(12)), new Mine(new ArrayBuffer(12))];
    for (let i = 0; i < 3; i++) grad[i] = 1;
    const p = { data, grad };
    const o = new Adam([w, p, v], { gradScale: 0.5, zeroGradInStep: true } as never);
    const ema = new EMA([p]).attach(o);
    o.step();
    ema.swap();
    ema.restore();
    expect([...grad, w.grad![0], v.grad![0]]).toEqual([0, 0, 0, 0, 0]);
    expect(o.state.get(v)!.step).toBe(1);
    o.zeroGrad({ setToNone: false });
    const { expAvg } = o.state.get(w)!;
    Object.defineProperty(expAvg, 'fill', {
      value() {
        throw new Error('fill');
      },
    });
    o.resetState();
    expect([...expAvg, o.state.size]).toEqual([0, 0, 0, 0]);
  });

  it('an own optimizer moves nothing when an array without elements is gone', () => {
    const w = parameter(3);
    const empty = { data: new Float32Array(0), grad: new Float32Array(0) };
    const own = new Own([w, empty]);
    own.step();
    w.data.fill(1);
    transfer(empty.grad);
    for (const step of [() => own.step(), () => stepAll([own]), () => combine([own]).step()]) {
      expectError(step, 'ERR_DETACHED', 'grad of parameter at index 1');
    }
    expect([...w.data]).toEqual([1, 1, 1]);
    expect(own.state.get(w)!.step).toBe(1);
  });

  it('a promise of another realm is refused, and its rejection is no second error', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const foreign = () => runInNewContext('Promise.reject(new Error("foreign"))') as never;
    const o = new SGD([parameter()]);
    expectError(() => o.step(foreign), 'ERR_ASYNC_CLOSURE', 'received a promise');
    const hook = o.registerStepPreHook(foreign);
    expectError(() => o.step(), 'ERR_INVALID_ARGUMENT', 'a promise');
    hook.remove();
    class Late extends Own {
      override update(): undefined {
        return foreign();
      }
    }
    expectError(() => new Late([parameter()]).step(), 'ERR_UPDATE', 'it returned a promise');
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('what cannot be replaced says so', () => {
    const p = parameter(2);
    const named = new Adam(Object.entries({ p }));
    const o = new Adam([p]);
    o.step();
    const state = o.state.get(p)!;
    const [group] = o.paramGroups;
    const writes: [object, string][] = [
      [group!, 'params'],
      [named.paramGroups[0]!, 'paramNames'],
      [state, 'step'],
      [state, 'expAvg'],
    ];
    for (const [object, key] of writes) {
      expectError(() => Object.assign(object, { [key]: 3 }), 'ERR_READ_ONLY', key);
    }
    expect([group!.params, state.step, state.expAvg.length]).toEqual([[p], 1, 2]);
    expect(Object.keys(state)).toEqual(['step', 'expAvg', 'expAvgSq']);
  });

  describe('an asynchronous step', () => {
    it.each<[string, (params: readonly object[]) => SGD | Own]>([
      ['of an optimizer', (params) => new SGD(params as never, { lr: 1 })],
      ['of an own optimizer', (params) => new Own(params as never)],
    ])('%s lets timers have their turn', async (_what, make) => {
      const { parameters } = new ParameterArena([[4]]);
      const o = make(parameters);
      let isOver = false;
      setTimeout(() => {
        isOver = true;
      }, 1);
      let steps = 0;
      for (; !isOver && steps < 1_000_000; steps++) await o.stepAsync();
      expect(isOver).toBe(true);
      expect(steps).toBeLessThan(1_000_000);
    });

    it('refuses every call until it ends, on each backend', async () => {
      const { parameters } = new ParameterArena([[4]]);
      parameters[0]!.ensureGrad().fill(1);
      for (const o of [new SGD(parameters, { lr: 1 }), new Own(parameters)]) {
        const before = bits(parameters[0]!.data);
        const stepping = o.stepAsync();
        expectError(() => o.step(), 'ERR_BUSY', 'await it first');
        expectError(() => o.dispose(), 'ERR_BUSY', 'await it first');
        await stepping;
        o.step();
        expect(bits(parameters[0]!.data)).not.toEqual(before);
      }
    });
  });
});
