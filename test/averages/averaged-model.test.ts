/** An average by a function of the user's, as torch's `AveragedModel` with an `avg_fn`. */

import { describe, expect, it } from 'vitest';
import {
  AdamW,
  AveragedModel,
  type AverageFunction,
  combine,
  EMA,
  Parameter,
  SGD,
  stepAll,
} from '../../lib/index.ts';
import { bits, elastic, expectError, onEachBackend, parameter } from '../support/helpers.ts';

/** The EMA's own arithmetic, by hand. */
const byHand: AverageFunction = (average, values) => {
  const { fround } = Math;
  for (let i = 0; i < average.length; i++) {
    average[i] = fround(fround(0.75) * average[i]!) + fround(0.25 * values[i]!);
  }
};

function trained() {
  const shared = () => new Float32Array(new SharedArrayBuffer(80)); // as stepAsync needs it
  const w = new Parameter(shared());
  w.data.forEach((_, i, data) => {
    data[i] = Math.sin(i);
  });
  w.grad = shared().fill(0.5);
  return { w, optimizer: new AdamW([w], { lr: 0.1 }) };
}

onEachBackend(() => {
  describe('AveragedModel', () => {
    it.each(['step', 'stepAll', 'combine', 'stepAsync', 'update'])(
      'averages by %s',
      async (how) => {
        const { w, optimizer } = trained();
        const average = new AveragedModel([w], { avgFn: byHand });
        const ema = new EMA([w], { decay: 0.75, form: 'mulAdd' });
        const stepped = how === 'combine' ? combine([optimizer]) : optimizer;
        if (how !== 'update') {
          ema.attach(stepped);
          average.attach(stepped);
        }
        for (let t = 0; t < 5; t++) {
          if (how === 'stepAll') stepAll([optimizer]);
          else if (how === 'stepAsync') await optimizer.stepAsync();
          else stepped.step();
          if (how === 'update') {
            ema.update();
            average.update();
          }
          expect(bits(average.averages.get(w)!)).toEqual(bits(ema.averages.get(w)!));
        }
        expect(average.nAveraged).toBe(5);
      },
    );

    it('copies first, and is told how many updates there have been', () => {
      const w = parameter(2);
      const seen: number[] = [];
      const average = new AveragedModel([w, new Parameter([1])], {
        avgFn: (_average, _values, n) => seen.push(n),
        updateEvery: 2,
        buffers: [new Parameter([5])],
      });
      for (let t = 0; t < 7; t++) average.update();
      expect(seen).toEqual([1, 1, 2, 2, 3, 3]);
      expect(average.nAveraged).toBe(4);
    });

    it('comes after all optimizers of a call', () => {
      const order: string[] = [];
      const [a, b] = [trained(), trained()];
      new AveragedModel([a.w], {
        avgFn: () => order.push(`average, b stepped ${b.optimizer.state.get(b.w)?.step} times`),
      }).attach(a.optimizer);
      stepAll([a.optimizer, b.optimizer]);
      stepAll([a.optimizer, b.optimizer]);
      expect(order).toEqual(['average, b stepped 2 times']);
    });

    it('says which parameter failed, and keeps what was written', () => {
      const params = [new Parameter([1]), new Parameter([2], { name: 'bias' })];
      const average = new AveragedModel(params, {
        avgFn(average) {
          if (params[1] && average[0] === 2) throw new RangeError('too much');
          average[0] = 7;
        },
      });
      average.update();
      expectError(
        () => average.update(),
        'ERR_UPDATE',
        "avgFn failed at parameter 'bias': too much. Averages before it have been updated",
      );
      expect(params.map((p) => average.averages.get(p)![0])).toEqual([7, 2]);
      const later = new AveragedModel([params[0]!], { avgFn: (async () => {}) as never });
      later.update();
      expectError(() => later.update(), 'ERR_UPDATE', 'it returned a promise');
    });

    it('is busy while its function runs', () => {
      const { w, optimizer } = trained();
      const codes: string[] = [];
      const average = new AveragedModel([w], {
        avgFn() {
          for (const call of ['update', 'swap', 'detach', 'dispose'] as const) {
            try {
              average[call]();
              codes.push(call);
            } catch (error) {
              codes.push((error as { code: string }).code);
            }
          }
        },
      }).attach(optimizer);
      optimizer.step();
      optimizer.step();
      expect(codes).toEqual(['ERR_BUSY', 'ERR_BUSY', 'ERR_BUSY', 'ERR_BUSY']);
      average.detach();
      codes.length = 0;
      average.update();
      expect(codes.slice(0, 2)).toEqual(['ERR_BUSY', 'ERR_BUSY']);
    });

    it('notices an array that its function has taken away', () => {
      const params = [new Parameter(new Float32Array(2)), new Parameter(new Float32Array(3))];
      const { buffer } = params[1]!.data;
      const average = new AveragedModel(params, {
        avgFn: () => structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }),
      });
      average.update();
      expectError(() => average.update(), 'ERR_DETACHED', 'at index 1');
    });

    it.each(['params', 'buffers'] as const)(
      'notices an array that its function has shrunk or grown: %s',
      (where) => {
        for (const bytes of [8, 32]) {
          const { data, resize } = elastic();
          const [first, second] = [new Parameter([1]), { data, grad: null }];
          let acts = false;
          const average = new AveragedModel(where === 'params' ? [first, second] : [first], {
            avgFn: () => acts && resize(bytes),
            ...(where === 'buffers' && { buffers: [second] }),
          });
          average.update();
          acts = true;
          expectError(() => average.update(), 'ERR_DETACHED', 'at index 1');
          expect(data.byteLength).toBe(bytes);
        }
      },
    );

    it('saves and loads', () => {
      const { w, optimizer } = trained();
      const average = new AveragedModel([w], { avgFn: byHand, updateEvery: 2 }).attach(optimizer);
      for (let t = 0; t < 4; t++) optimizer.step();
      const other = new AveragedModel([w], { avgFn: byHand });
      other.loadStateDict(average.stateDict());
      expect(bits(other.averages.get(w)!)).toEqual(bits(average.averages.get(w)!));
      average.update();
      other.update();
      expect(bits(other.averages.get(w)!)).toEqual(bits(average.averages.get(w)!));
      expectError(() => new EMA([w]).loadStateDict(average.stateDict()), 'ERR_STATE_DICT', 'EMA');
    });

    it('needs a function', () => {
      const make = (options: unknown) => () => new AveragedModel([parameter()], options as never);
      for (const options of [{}, { avgFn: 1 }, { avgFn: null }]) {
        expectError(make(options), 'ERR_INVALID_ARGUMENT', 'Expected avgFn to be a function');
      }
      expectError(make(undefined), 'ERR_INVALID_OPTION', 'Expected options to be an object');
      expectError(make({ avgFn() {}, decay: 1 }), 'ERR_UNKNOWN_OPTION', 'decay');
    });

    it('with a step that fails before it leaves its average', () => {
      const { w, optimizer } = trained();
      const average = new AveragedModel([w], { avgFn: byHand }).attach(optimizer);
      optimizer.step();
      const before = bits(average.averages.get(w)!);
      w.grad = new Float32Array(3);
      expectError(() => optimizer.step(), 'ERR_INVALID_GRADIENT', 'length');
      expect(bits(average.averages.get(w)!)).toEqual(before);
      expect(new SGD([w]).paramGroups).toHaveLength(1);
    });
  });
});
