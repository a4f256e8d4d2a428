/** EMA and SWA attached to an optimizer: each of its steps updates them. */

import { describe, expect, it } from 'vitest';
import { Adam, combine, EMA, Optimizer, ParameterArena, SGD, SWA } from '../../lib/index.ts';
import {
  bits,
  expectError,
  forEachOptimizer,
  onEachBackend,
  parameter,
} from '../support/helpers.ts';

forEachOptimizer((row) => {
  it('is updated by the step that it is attached to, with the same bits', () => {
    const run = (attached: boolean) => {
      const params = [parameter(37), parameter(5)];
      const optimizer = row.make(params, row.withState);
      const averages = [new EMA(params, { decay: 0.9 }), new SWA(params)];
      if (attached) for (const average of averages) average.attach(optimizer);
      for (let i = 0; i < 5; i++) {
        params[1]!.grad = i % 2 ? null : params[1]!.ensureGrad().fill(0.25);
        optimizer.step();
        if (!attached) for (const average of averages) average.update();
      }
      expect(averages.map(({ nAveraged }) => nAveraged)).toEqual([5, 5]);
      return averages.flatMap(({ averages: arrays }) => [...arrays.values()].map(bits));
    };
    const together = run(true);
    expect(together).toEqual(run(false));
    expect(new Set(together.map(String)).size).toBe(4);
  });
});

onEachBackend((name) => {
  it('an update waits for asynchronous steps of others', async () => {
    const { parameters } = new ParameterArena({ w: [5] });
    parameters[0]!.ensureGrad().fill(1);
    const ema = new EMA(parameters);
    const stepping = new SGD(parameters, { lr: 1 }).stepAsync();
    const update = () => ema.update();
    if (name === 'native') expectError(update, 'ERR_BUSY', "working on memory of parameter 'w'");
    await stepping; // the portable backend has stepped already
    ema.update();
    expect([...ema.averages.get(parameters[0]!)!]).toEqual([-1, -1, -1, -1, -1]);
  });

  describe('an attached average', () => {
    const attached = () => {
      const w = parameter(2, 'w');
      const optimizer = new SGD([w], { lr: 1 });
      const ema = new EMA([w], { decay: 0.5 });
      expect(ema.attach(optimizer)).toBe(ema);
      return { w, optimizer, ema };
    };

    it('counts only steps that succeed', () => {
      const { w, optimizer, ema } = attached();
      w.grad = new Float32Array(3);
      expectError(() => optimizer.step(), 'ERR_INVALID_GRADIENT', 'length 2');
      expect(ema.nAveraged).toBe(0);
      w.grad = new Float32Array(2);
      optimizer.step(() => 1);
      expect(ema.nAveraged).toBe(1);
    });

    it('keeps the optimizer from stepping averages', () => {
      const { w, optimizer, ema } = attached();
      ema.swap();
      const held = bits(w.data);
      expectError(() => optimizer.step(), 'ERR_SWAPPED', 'step() of the optimizer');
      expect(bits(w.data)).toEqual(held);
      ema.restore();
      optimizer.step();
      expect(ema.nAveraged).toBe(1);
    });

    it('keeps the optimizer from stepping where it could not follow', () => {
      const { w, optimizer } = attached();
      const other = { data: new Float32Array(2) };
      new SWA([other]).attach(optimizer);
      other.data = new Float32Array(3);
      const before = bits(w.data);
      expectError(() => optimizer.step(), 'ERR_INVALID_PARAMETER', 'length 2');
      expect(bits(w.data)).toEqual(before);
    });

    it('passes over steps that were skipped', () => {
      const [a, b] = [parameter(2), parameter(2)];
      const first = new SGD([a], { onNonFinite: 'skip' });
      const second = new Adam([b], { onNonFinite: 'skip' });
      const single = new SWA([a]).attach(first);
      const combined = combine([first, second]);
      const both = new SWA([a, b]).attach(combined);
      const step = (gradA: number, gradB: number) => {
        a.ensureGrad().fill(gradA);
        b.ensureGrad().fill(gradB);
        combined.step();
        return [single.nAveraged, both.nAveraged];
      };
      expect(step(1, 1)).toEqual([1, 1]);
      expect(step(Number.NaN, 1)).toEqual([1, 2]);
      expect(step(1, Number.NaN)).toEqual([2, 3]);
      expect(step(Number.NaN, Number.NaN)).toEqual([2, 3]);
    });

    it('goes with asynchronous steps, and keeps out while one is under way', async () => {
      const { parameters } = new ParameterArena([[300_000], [3]]);
      for (const p of parameters) p.ensureGrad().fill(0.5);
      const optimizer = new SGD(parameters, { lr: 1 });
      const ema = new EMA(parameters).attach(optimizer);
      const stepping = optimizer.stepAsync();
      for (const call of [() => ema.update(), () => ema.swap()]) {
        expectError(call, 'ERR_BUSY', 'an asynchronous step of the same optimizer is under way');
      }
      await stepping;
      expect(ema.nAveraged).toBe(1);
      expect([...ema.averages.get(parameters[1]!)!]).toEqual([-0.5, -0.5, -0.5]);
      ema.swap();
      await expect(optimizer.stepAsync()).rejects.toMatchObject({ code: 'ERR_SWAPPED' });
      ema.restore();
    });

    it('goes with optimizers that users write', () => {
      class Own extends Optimizer<{ lr: number }> {
        static defaults = { lr: 1 };
        override update({ data }: { data: Float32Array<ArrayBufferLike> }): void {
          data.fill(5);
        }
      }
      const w = parameter(2);
      const own = new Own([w]);
      const ema = new EMA([w]).attach(own);
      own.step();
      expect([...ema.averages.get(w)!]).toEqual([5, 5]);
    });

    it('is attached to one optimizer at a time', () => {
      const { w, optimizer, ema } = attached();
      expectError(() => ema.attach(optimizer), 'ERR_INVALID_ARGUMENT', 'detach() first');
      ema.detach();
      optimizer.step();
      expect(ema.nAveraged).toBe(0);
      const other = new Adam([w]);
      ema.attach(other);
      other.step();
      expect(ema.nAveraged).toBe(1);
      ema.dispose();
      other.step();
      optimizer.step();
    });

    it('takes optimizers only', () => {
      for (const wrong of [null, undefined, {}, { step() {}, paramGroups: [] }, SGD]) {
        expectError(() => new EMA([]).attach(wrong as never), 'ERR_INVALID_ARGUMENT', 'optimizer');
      }
    });
  });
});
