/** EMA and SWA beside an optimizer: updates, swap and restore. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  type Average,
  EMA,
  type EMAOptions,
  Parameter,
  ParameterArena,
  type ParameterLike,
  SGD,
  SWA,
} from '../../lib/index.ts';
import { bits, onEachBackend, parameter } from '../support/helpers.ts';

/** NaNs with payloads, zeros of both signs, the smallest and the largest. */
const oddBits = [0x7fc12345, 0xff800001, 0x80000000, 0, 1, 0x7f7fffff, 0x7f800000];

function oddParameter(): Parameter {
  const data = new Float32Array(oddBits.length);
  new Uint32Array(data.buffer).set(oddBits);
  return new Parameter(data, { name: 'odd' });
}

const kinds: Record<string, (params: Iterable<ParameterLike>) => Average> = {
  EMA: (params) => new EMA(params, { decay: 0.5 }),
  'EMA mulAdd': (params) => new EMA(params, { decay: 0.5, form: 'mulAdd' }),
  SWA: (params) => new SWA(params),
  'SWA lerp': (params) => new SWA(params, { form: 'lerp' }),
};

onEachBackend(() => {
  describe.each(Object.entries(kinds))('%s', (_name, make) => {
    it('starts as the parameters are, then copies, then averages', () => {
      const w = new Parameter([1, 2]);
      const average = make([w]);
      const averaged = average.averages.get(w)!;
      expect([...averaged]).toEqual([1, 2]);
      expect(average.nAveraged).toBe(0);
      w.data.set([3, 5]);
      average.update();
      expect([...averaged]).toEqual([3, 5]);
      w.data.set([4, 7]);
      average.update();
      expect([...averaged]).toEqual([3.5, 6]);
      expect(average.nAveraged).toBe(2);
      expect([...w.data]).toEqual([4, 7]);
    });

    it('swaps and restores bit for bit, in place, as often as wanted', () => {
      const params = [oddParameter(), parameter(70), Parameter.zeros([0]), parameter(3)];
      const average = make(params);
      params[1]!.data.fill(7);
      for (let round = 0; round < 3; round++) {
        const arrays = params.map(({ data }) => data);
        const before = arrays.map(bits);
        const averaged = params.map((p) => bits(average.averages.get(p)!));
        expect(average.swapped).toBe(false);
        average.swap();
        expect(average.swapped).toBe(true);
        expect(arrays.map(bits)).toEqual(averaged);
        average.restore();
        expect(average.swapped).toBe(false);
        expect(arrays.map(bits)).toEqual(before);
        expect(params.map((p) => bits(average.averages.get(p)!))).toEqual(averaged);
        expect(params.map(({ data }) => data)).toEqual(arrays);
        average.update();
      }
    });

    it('works on arenas, whose memory stays in place', () => {
      const arena = new ParameterArena({ weight: [3, 5], bias: [3] });
      const average = make(arena.parameters);
      arena.parameters[0]!.data.fill(2);
      arena.parameters[1]!.data.fill(-2);
      const other = make(arena.parameters.map(({ data }) => ({ data })));
      for (let i = 0; i < 3; i++, average.update(), other.update()) arena.data.fill(i / 3, 16, 19);
      const arrays = [average, other].map(({ averages }) => [...averages.values()].map(bits));
      expect(arrays[0]).toEqual(arrays[1]);
      const before = bits(arena.data);
      average.swap();
      expect(arena.parameters.map(({ data }) => bits(data))).toEqual(arrays[0]);
      average.restore();
      expect(bits(arena.data)).toEqual(before);
    });

    it('resumes with nAveraged and the arrays as they were', () => {
      const w = parameter(5);
      const move = (i: number) =>
        w.data.forEach((_, k) => {
          w.data[k] = Math.fround(1 / (i + k + 1));
        });
      const whole = make([w]);
      for (let i = 0; i < 3; i++, whole.update()) move(i);
      const saved = { n: whole.nAveraged, values: whole.averages.get(w)!.slice() };
      for (let i = 3; i < 6; i++, whole.update()) move(i);
      const resumed = make([w]);
      resumed.averages.get(w)!.set(saved.values);
      resumed.nAveraged = saved.n;
      for (let i = 3; i < 6; i++, resumed.update()) move(i);
      expect(bits(resumed.averages.get(w)!)).toEqual(bits(whole.averages.get(w)!));
      expect(resumed.nAveraged).toBe(6);
    });
  });

  describe('an average', () => {
    it('follows data that is replaced', () => {
      const w = new Parameter([2]);
      const swa = new SWA([w]);
      swa.update();
      w.data = Float32Array.of(4);
      swa.update();
      expect([...swa.averages.get(w)!]).toEqual([3]);
      swa.swap();
      expect([...w.data]).toEqual([3]);
      w.data = Float32Array.of(100);
      swa.restore();
      expect([...w.data]).toEqual([4]);
    });

    it('needs no gradients, and takes structural parameters on any memory', () => {
      const plain = { data: new Float32Array(new SharedArrayBuffer(8)) };
      const ema = new EMA([plain], { decay: 0 });
      plain.data.set([1, 2]);
      ema.update();
      plain.data.set([3, 4]);
      ema.update();
      expect([...ema.averages.get(plain)!]).toEqual([3, 4]);
    });

    it('takes names, one parameter, or none', () => {
      const w = parameter(2, 'own');
      expect(new EMA(new Map([['w', w]])).paramNames).toEqual(['w']);
      expect(new EMA(w).params).toEqual([w]);
      expect(new EMA(w).paramNames).toBeUndefined();
      const none = new SWA([]);
      none.update();
      none.swap();
      none.restore();
      expect(none.nAveraged).toBe(1);
    });

    it('restores parameters that share memory', () => {
      const buffer = new Float32Array([1, 2, 3]);
      const params = [new Parameter(buffer.subarray(0, 2)), new Parameter(buffer.subarray(1, 3))];
      const ema = new EMA(params);
      buffer.set([4, 5, 6]);
      ema.swap();
      expect([...buffer]).toEqual([1, 2, 3]);
      ema.restore();
      expect([...buffer]).toEqual([4, 5, 6]);
    });

    it('lets its decay warm up', () => {
      const w = new Parameter([1]);
      const ema = new EMA([w], { decay: 0 });
      expect([ema.decay, ema.form]).toEqual([0, 'lerp']);
      ema.update();
      w.data[0] = 2;
      ema.decay = 0.25;
      ema.update();
      expect([...ema.averages.get(w)!]).toEqual([1.75]);
      expect(() => {
        ema.decay = 2;
      }).toThrow('Invalid decay value 2 provided');
      expect(ema.decay).toBe(0.25);
    });

    it.each([
      { decay: 0.9, warmupPower: 1 },
      { decay: 0.9, warmupPower: 2 / 3, form: 'mulAdd' },
      { decay: 0.5, warmupPower: 0.75, warmupGamma: 20, minDecay: 0.1 },
    ] as const)('warms the decay up: %j', (options) => {
      const { decay, warmupPower, warmupGamma = 1, minDecay = 0 } = { ...options } as EMAOptions;
      const w = parameter(70);
      const [warm, hand] = [
        new EMA([w], options),
        new EMA([w], 'form' in options ? { form: options.form } : {}),
      ];
      const attached = new EMA([w], options);
      const optimizer = new SGD([w], { lr: 0.25 });
      attached.attach(optimizer);
      for (let n = 0; n < 30; n++) {
        const growth = 1 - (1 + n / warmupGamma) ** -warmupPower!;
        const expected = Math.max(minDecay, Math.min(decay!, growth));
        expect(warm.currentDecay).toBeCloseTo(expected, 14);
        hand.decay = warm.currentDecay;
        w.grad!.fill(n % 3 ? 1 : -2);
        optimizer.step();
        for (const average of [warm, hand]) average.update();
        for (const average of [warm, attached]) {
          expect(bits(average.averages.get(w)!)).toEqual(bits(hand.averages.get(w)!));
        }
        if (n !== 15) continue;
        const state = JSON.parse(JSON.stringify({ ...warm.stateDict(), averages: [] }));
        const resumed = new EMA([w]);
        resumed.loadStateDict({ ...state, averages: warm.stateDict().averages });
        expect(resumed.currentDecay).toBe(warm.currentDecay);
      }
      expect(warm.decay).toBe(decay);
    });

    it('is the mean at first, with a warm-up of power 1', () => {
      const w = parameter(1);
      const ema = new EMA([w], { warmupPower: 1 });
      for (let n = 1; n <= 20; n++) {
        w.data[0] = n;
        ema.update();
        expect(ema.averages.get(w)![0]).toBeCloseTo((n + 1) / 2, 5);
      }
    });

    it('prints readably', () => {
      const ema = new EMA([parameter()]);
      ema.update();
      expect(inspect(ema)).toBe(
        'EMA (1 parameters, decay: 0.999, form: lerp, warmupPower: 0, warmupGamma: 1, ' +
          'minDecay: 0, updateEvery: 1, updateAfterStep: 0, nAveraged: 1)',
      );
      ema.swap();
      expect(String(ema)).toContain('swapped');
      expect(String(new SWA([]))).toBe(
        'SWA (0 parameters, form: divide, updateEvery: 1, updateAfterStep: 0, nAveraged: 0)',
      );
    });
  });
});
