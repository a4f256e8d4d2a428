/** Parameters that go, are replaced, or begin anew. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  Adam,
  type AdamState,
  combine,
  EMA,
  Parameter,
  ParameterArena,
  SGD,
  stepAll,
} from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';
import { MyLion } from './my-lion.ts';
import { model, snapshot, steps } from './runs.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

onEachBackend(() => {
  describe('membership', () => {
    it('prunes rows, in place and with the same object', () => {
      const p = {
        data: Float32Array.of(0, 1, 2, 3, 4, 5),
        grad: new Float32Array(6).fill(1),
        shape: [3, 2],
      };
      const o = new SGD([p], { lr: 0, momentum: 1 });
      p.grad.set([1, 2, 3, 4, 5, 6]);
      o.step();
      p.data = p.data.subarray(0, 4); // lies in the old memory
      p.grad = new Float32Array(4);
      const next = { ...p, shape: [2, 2] };
      o.replaceParameter(p, next, { index: [2, 0] });
      expect([...o.state.get(next)!.momentumBuffer!]).toEqual([5, 6, 1, 2]);
      next.data = next.data.subarray(0, 1);
      next.grad = new Float32Array(1);
      o.replaceParameter(next, next, { index: [1] });
      o.step();
      expect([...o.state.get(next)!.momentumBuffer!]).toEqual([6]);
    });

    it('keeps groups, names, options and what is overridden', () => {
      const [a, b, c] = [parameter(3, 'own'), parameter(4), parameter(5)];
      const named = { params: Object.entries({ a, b }), name: 'first', lr: 0.5 };
      const o = new Adam([named, { params: Object.entries({ c }) }]);
      const [first] = o.paramGroups;
      const held = first!.params;
      o.override(b, { lr: 0.25 });
      o.removeParameters([a]);
      const next = parameter(4);
      o.replaceParameter(b, next);
      expect(o.paramGroups[0]).toBe(first);
      expect([first!.params, first!.paramNames, first!.name]).toEqual([[next], ['b'], 'first']);
      expect([held, Object.isFrozen(first!.params)]).toEqual([[a, b], true]);
      expect(o.overrideOf(next)).toEqual({ lr: 0.25 });
      o.removeParameters(new Set([next]));
      expect([first!.params, first!.paramNames, first!.lr]).toEqual([[], [], 0.5]);
      first!.lr = 1;
      first!.amsgrad = true;
      first!.frozen = true;
      o.step();
      o.addParamGroup({ params: [['a', a]] });
      next.data = new Float32Array(1);
      expectError(() => o.overrideOf(next), 'ERR_INVALID_PARAMETER', 'of this optimizer');
      expect([...o.state.keys()]).toEqual([c]);
      const replace = () => Object.assign(first!, { params: [] });
      expectError(replace, 'ERR_READ_ONLY', 'addParameters()');
    });

    it('leaves what was held of state as it was', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new Adam([a, b]);
      o.step();
      const [ofA, ofB] = [o.state.get(a)!, o.state.get(b)!];
      o.removeParameters(a);
      o.step();
      expect([ofA.step, ofB.step, o.state.get(b)!.expAvg === ofB.expAvg]).toEqual([1, 2, true]);
    });

    it('gives their memory back: another may lie where one was', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new SGD([a, b]);
      o.removeParameters(a);
      o.addParamGroup({ params: new Parameter(a.data) });
      const [, fresh] = o.paramGroups;
      expectError(
        () => o.addParamGroup({ params: a }),
        'ERR_OVERLAP',
        'shares memory with data of parameter',
      );
      o.removeParameters(fresh!.params);
      o.addParamGroup({ params: a });
      o.step();
    });

    it('waits for an asynchronous step, and works in its closure', async () => {
      const { parameters } = new ParameterArena([[3], [4], [5]]);
      for (const p of parameters) p.ensureGrad().fill(1);
      const [a, b, c] = parameters;
      const o = new SGD(parameters, { lr: 1 });
      const step = o.stepAsync();
      for (const call of [
        () => o.removeParameters(a!),
        () => o.replaceParameter(a!, parameter()),
        () => o.resetState(),
      ]) {
        expectError(call, 'ERR_BUSY', 'while an asynchronous step');
      }
      await step;
      await o.stepAsync(async () => {
        await null;
        o.removeParameters(a!);
      });
      o.step(() => o.removeParameters(b!));
      const hook = o.registerStepPostHook(() => o.removeParameters(c!));
      o.step();
      hook.remove();
      o.step();
      expect(parameters.map((p) => p.data[0])).toEqual([-1, -2, -4]);
      o.dispose();
      expectError(() => o.removeParameters([]), 'ERR_DISPOSED', 'removeParameters');
      expectError(() => o.resetState(), 'ERR_DISPOSED', 'resetState');
    });

    it('is seen by optimizers that are combined', () => {
      const [a, b, c] = [parameter(), parameter(), parameter()];
      const [x, y] = [new SGD([a], { lr: 1 }), new Adam([b, c])];
      const both = combine([x, y]);
      both.step();
      x.replaceParameter(a, b);
      expectError(() => both.step(), 'ERR_DUPLICATE_PARAMETER', 'more than one optimizer');
      y.removeParameters(b);
      both.step();
      expect(both.paramGroups.map(({ params }) => params)).toEqual([[b], [c]]);
      expect([...both.state.keys()]).toEqual([c]);
      stepAll([x, y]);
      expect([y.state.get(c)!.step, a.data[0]]).toEqual([3, Math.fround(1 - Math.fround(0.1))]);
    });

    it('keeps step options, hooks and reports', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new SGD([a, b], { lr: 1, maxGradNorm: 1e-3, onNonFinite: 'skip' });
      let calls = 0;
      o.registerStepPreHook(() => {
        calls += 1;
      });
      o.step();
      a.grad!.fill(Number.NaN);
      o.step();
      o.removeParameters(a);
      expect(o.lastStep).toMatchObject({ stepped: false, skipped: 1, consecutiveSkips: 1 });
      b.grad!.fill(1);
      o.step();
      expect(o.lastStep).toMatchObject({ stepped: true, skipped: 1, nonFinite: 0 });
      expect(o.lastStep!.gradNorm).toBeCloseTo(Math.sqrt(3));
      expect(calls).toBe(3);
      o.stepOptions.gradScale = 0;
      o.step();
      expect(o.lastStep!.gradNorm).toBe(0);
    });

    it('goes on with averages that are attached: their parameters stay theirs', () => {
      const run = (attached: boolean) => {
        const params = model(true);
        const o = new SGD(params, { lr: 0.1 });
        const ema = new EMA(params, { decay: 0.5 });
        if (attached) ema.attach(o);
        const go = (list: readonly (Parameter | undefined)[], numbers: number[]) => {
          for (const number of numbers) {
            steps(o, list, [number]);
            if (!attached) ema.update();
          }
        };
        go(params, [1, 2]);
        params[1]!.frozen = true;
        o.override(params[3]!, { lr: 0.5 });
        go(params, [3, 4]);
        o.removeParameters(params[0]!);
        o.replaceParameter(params[2]!, parameter(33));
        params[1]!.frozen = false;
        go(params, [5, 6]);
        return params.map((p) => [bits(p.data), bits(ema.averages.get(p)!)]);
      };
      expect(run(true)).toEqual(run(false));
    });

    it('works for optimizers of users', () => {
      const [params, same] = [model(), model()];
      const [o, without] = [new MyLion(params), new MyLion(same.slice(1))];
      steps(o, params, [1]);
      o.removeParameters(params[0]!);
      steps(o, params, [2]);
      steps(without, same, [1, 2]);
      for (const i of [1, 2, 3]) {
        expect(snapshot(o, params[i]!)).toEqual(snapshot(without, same[i]!));
      }
    });

    it('begins anew with the state that its own options call for', () => {
      const make = () => {
        const params = [parameter(), parameter()];
        const o = new Adam(params);
        o.override(params[1]!, { amsgrad: true });
        return { o, params };
      };
      const { o, params } = make();
      o.step();
      const next = parameter();
      o.replaceParameter(params[1]!, next, { state: 'reset' });
      o.step();
      const fresh = make();
      fresh.o.step();
      expect(snapshot(o, next)).toEqual(snapshot(fresh.o, fresh.params[1]!));
      expect(o.overrideOf(next)).toEqual({ amsgrad: true });
    });

    it('leaves both overrides as they were when one cannot replace the other', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new Adam([a, b]);
      o.override(a, { lr: 0.5 });
      o.override(b, { lr: 0.25 });
      expectError(() => o.replaceParameter(a, b), 'ERR_DUPLICATE_PARAMETER', 'is given again');
      expect([o.overrideOf(a), o.overrideOf(b)]).toEqual([{ lr: 0.5 }, { lr: 0.25 }]);
    });

    it('lets go of the memory of state that nobody has any more', async () => {
      let p = parameter(1 << 15);
      const o = new Adam([p, parameter()]);
      o.step();
      const replace = () => {
        const next = new Parameter(p.data);
        o.replaceParameter(p, next, { index: Int32Array.from(p.data.keys()) });
        p = next;
        return new WeakRef((o.state.get(p) as AdamState).expAvg.buffer);
      };
      const buffers = Array.from({ length: 5 }, replace);
      await new Promise(setImmediate); // until then what was made in a job stays
      collectGarbage();
      const there = buffers.map((buffer) => buffer.deref() !== undefined);
      expect(there.slice(1)).toEqual([false, false, false, true]); // the first has more in it
    });
  });
});
