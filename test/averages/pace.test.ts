/** Averages that begin late, take only some updates in, and copy buffers. */

import { describe, expect, it } from 'vitest';
import { type Average, EMA, Parameter, SGD, SWA } from '../../lib/index.ts';
import { bits, expectError, onEachBackend } from '../support/helpers.ts';

type Pace = { readonly updateEvery: number; readonly updateAfterStep: number };

const kinds: Record<string, (params: Parameter[], pace: Partial<Pace>) => Average> = {
  EMA: (params, pace) => new EMA(params, { decay: 0.7, warmupPower: 0.8, ...pace }),
  'SWA lerp': (params, pace) => new SWA(params, { form: 'lerp', ...pace }),
  SWA: (params, pace) => new SWA(params, pace),
};

const paces: Pace[] = [
  { updateEvery: 3, updateAfterStep: 0 },
  { updateEvery: 1, updateAfterStep: 4 },
  { updateEvery: 3, updateAfterStep: 5 },
  { updateEvery: 4, updateAfterStep: 8 },
];

/** A parameter, and the optimizer that moves it. */
function run(length = 37) {
  const w = new Parameter(Float32Array.from({ length }, (_, i) => Math.sin(i)));
  return { w, optimizer: new SGD([w], { lr: 0.1, momentum: 0.9 }) };
}

function move({ w }: ReturnType<typeof run>, t: number): void {
  const grad = w.ensureGrad();
  for (let i = 0; i < grad.length; i++) grad[i] = Math.cos(i + t);
}

onEachBackend(() => {
  describe.each(Object.entries(kinds))('%s', (_name, make) => {
    it.each(paces)('is as updating by hand: %o', (pace) => {
      const [a, b] = [run(), run()];
      const paced = make([a.w], pace).attach(a.optimizer); // in the optimizer's own pass
      const apart = make([a.w], pace); // by itself
      const byHand = make([b.w], {});
      let averaged = 0;
      for (let t = 0; t < 20; t++) {
        for (const model of [a, b]) {
          move(model, t);
          model.optimizer.step();
        }
        apart.update();
        const isDue = t % pace.updateEvery === 0;
        if (isDue && t < pace.updateAfterStep) byHand.averages.get(b.w)!.set(b.w.data);
        if (isDue && t >= pace.updateAfterStep) {
          byHand.update();
          averaged += 1;
        }
        const expected = bits(byHand.averages.get(b.w)!);
        expect(bits(paced.averages.get(a.w)!)).toEqual(expected);
        expect(bits(apart.averages.get(a.w)!)).toEqual(expected);
        expect([paced.nAveraged, apart.nAveraged]).toEqual([averaged, averaged]);
      }
      expect(averaged).toBeGreaterThan(2);
    });

    it.each(paces)('goes on from its state dict in the middle of an interval: %o', (pace) => {
      for (const cut of [0, 1, 5, 6, 7, 14]) {
        const { w, optimizer } = run();
        const whole = make([w], pace);
        let resumed = make([w], {});
        for (let t = 0; t < 20; t++) {
          move({ w, optimizer }, t);
          optimizer.step();
          if (t === cut) {
            resumed = make([w], {});
            resumed.loadStateDict(JSON.parse(JSON.stringify(whole.stateDict()), revive));
          }
          whole.update();
          if (t >= cut) resumed.update();
        }
        expect(bits(resumed.averages.get(w)!)).toEqual(bits(whole.averages.get(w)!));
        expect(resumed.nAveraged).toBe(whole.nAveraged);
      }
    });
  });

  it('refuses to load counts of which one is wrong', () => {
    const { w } = run();
    const ema = new EMA([w], { updateEvery: 2 });
    for (let t = 0; t < 5; t++) ema.update();
    const saved = ema.stateDict();
    expect(saved).toMatchObject({ nAveraged: 3, nUpdates: 5 });
    for (const counts of [{ nAveraged: 4 }, { nUpdates: 7 }]) {
      expectError(
        () => ema.loadStateDict({ ...saved, ...counts }),
        'ERR_STATE_DICT',
        'Expected nAveraged to be',
      );
    }
    const { nUpdates: _, ...older } = saved;
    ema.loadStateDict(older as never);
    expect(ema.stateDict()).toMatchObject({ nAveraged: 3, nUpdates: 5 });
  });

  it('goes on from nAveraged, and does not begin late again', () => {
    const { w } = run();
    const ema = new EMA([w], { decay: 0.5, updateEvery: 2, updateAfterStep: 10 });
    ema.nAveraged = 3;
    expect(ema.nAveraged).toBe(3);
    const before = bits(ema.averages.get(w)!);
    w.data.fill(1);
    ema.update(); // between two that count
    expect(bits(ema.averages.get(w)!)).toEqual(before);
    ema.update();
    expect(ema.nAveraged).toBe(4);
    expect(bits(ema.averages.get(w)!)).not.toEqual(before);
    expectError(
      () => {
        ema.nAveraged = Number.MAX_SAFE_INTEGER;
      },
      'ERR_INVALID_ARGUMENT',
      'Expected nAveraged to be an integer >= 0',
    );
    expect(ema.nAveraged).toBe(4);
  });

  it('copies buffers, and swaps them with the averages', () => {
    const { w } = run(5);
    const mean = new Parameter([1, Number.NaN, Number.POSITIVE_INFINITY], { name: 'mean' });
    const ema = new EMA([w], { decay: 0.5, buffers: [mean] });
    const kept = ema.averages.get(mean)!;
    expect(ema.params).toEqual([w]);
    for (let t = 0; t < 3; t++) {
      mean.data.set([t, Number.NaN, Number.NEGATIVE_INFINITY]);
      w.data.fill(t);
      ema.update();
    }
    expect([...kept]).toEqual([2, Number.NaN, Number.NEGATIVE_INFINITY]);
    expect(ema.averages.get(w)![0]).toBe(1.25);
    mean.data.fill(9);
    ema.swap();
    expect([...mean.data]).toEqual([2, Number.NaN, Number.NEGATIVE_INFINITY]);
    ema.restore();
    expect([...mean.data]).toEqual([9, 9, 9]);
    const saved = ema.stateDict();
    const other = new EMA([w], { decay: 0.5, buffers: [mean] });
    other.loadStateDict(saved);
    expect(bits(other.averages.get(mean)!)).toEqual(bits(kept));
    expect(other.nAveraged).toBe(3);
  });

  it('may have nothing but buffers', () => {
    const mean = new Parameter([1]);
    const swa = new SWA([], { buffers: [mean] });
    mean.data[0] = 2;
    swa.update();
    swa.nAveraged = 5;
    mean.data[0] = 3;
    swa.update();
    expect([swa.nAveraged, swa.averages.get(mean)![0]]).toEqual([6, 3]);
  });

  it.each([
    [
      { updateEvery: 0 },
      'Invalid updateEvery value: 0. Expected updateEvery to be an integer >= 1',
    ],
    [{ updateEvery: 1.5 }, 'Expected updateEvery to be an integer >= 1'],
    [{ updateAfterStep: -1 }, 'Expected updateAfterStep to be an integer >= 0'],
    [{ updateAfterStep: Number.POSITIVE_INFINITY }, 'updateAfterStep to be an integer >= 0'],
    [{ updateEvry: 2 }, "Unknown option 'updateEvry'; did you mean updateEvery?"],
  ])('refuses %o', (options, sentence) => {
    const code = 'updateEvry' in options ? 'ERR_UNKNOWN_OPTION' : 'ERR_INVALID_OPTION';
    expectError(() => new EMA([new Parameter([1])], options as never), code, sentence);
    expectError(() => new SWA([new Parameter([1])], options as never), code, sentence);
  });

  it('refuses buffers as it refuses parameters', () => {
    const w = new Parameter([1]);
    const given = (buffers: unknown) => () => new EMA([w], { buffers: buffers as never });
    expectError(given(3), 'ERR_INVALID_PARAMETER', '(buffers)');
    expectError(given([w]), 'ERR_DUPLICATE_PARAMETER', 'given twice');
    const odd = {
      grad: null,
      get data() {
        structuredClone(w.data.buffer, { transfer: [w.data.buffer as ArrayBuffer] });
        return new Float32Array(1);
      },
    };
    expectError(given([odd]), 'ERR_DETACHED', 'at index 0');
  });
});

/** Arrays through JSON. */
function revive(_key: string, value: unknown): unknown {
  const isArray = value !== null && typeof value === 'object' && '0' in value;
  return isArray && !Array.isArray(value)
    ? Float32Array.from(Object.values(value) as number[])
    : value;
}
