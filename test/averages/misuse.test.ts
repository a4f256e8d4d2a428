/** EMA and SWA in the hands of callers that are wrong, late or sly: nothing changes. */

import { describe, expect, it } from 'vitest';
import { AveragedModel, EMA, type ParameterLike, SGD, SWA } from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

type Floats = Float32Array<ArrayBufferLike>;

const transfer = (array: Floats) =>
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });

onEachBackend(() => {
  describe('wrong options', () => {
    it.each([
      [{ decay: 1.5 }, 'Invalid decay value 1.5 provided. Please provide a value in [0,1] range.'],
      [
        { decay: -0.1 },
        'Invalid decay value -0.1 provided. Please provide a value in [0,1] range.',
      ],
      [{ warmupPower: -1 }, 'Expected warmupPower to be a finite number >= 0'],
      [{ warmupGamma: 0 }, 'Expected warmupGamma to be a finite number > 0'],
      [{ minDecay: 2 }, 'Expected minDecay to be a finite number >= 0 and <= 1'],
      [{ decay: Number.NaN }, 'Invalid decay value NaN provided'],
      [{ decay: '0.9' }, "Invalid decay value '0.9' provided"],
      [{ form: 'divide' }, "Expected form to be 'mulAdd' or 'lerp' but received 'divide'"],
      [null, 'Expected options to be an object but received null'],
      [0.9, 'did you mean { decay: 0.9 }?'],
    ])('EMA refuses %j', (options, message) => {
      expectError(() => new EMA([parameter()], options as never), 'ERR_INVALID_OPTION', message);
    });

    it('guesses no option where none takes a number', () => {
      for (const make of [
        () => new SWA([parameter()], 5 as never),
        () => new AveragedModel([parameter()], 5 as never),
      ]) {
        expectError(make, 'ERR_INVALID_OPTION', 'Expected options to be an object but received 5');
        expect(make).not.toThrow('did you mean');
      }
    });

    it.each([
      ['swapped', true],
      ['form', 'lerp'],
      ['currentDecay', 0.5],
    ])('shows %s, and refuses to have it replaced', (key, value) => {
      const ema = new EMA([parameter()]);
      expectError(() => Object.assign(ema, { [key]: value }), 'ERR_READ_ONLY', key);
      const swa = new SWA([parameter()]);
      if (key in swa) expectError(() => Object.assign(swa, { [key]: value }), 'ERR_READ_ONLY', key);
    });

    it('names the option that was meant', () => {
      const options = { deacy: 0.9 } as never;
      expectError(() => new EMA([], options), 'ERR_UNKNOWN_OPTION', 'did you mean decay?');
      const form = { form: 'mulAdd' } as never;
      expectError(() => new SWA([], form), 'ERR_INVALID_OPTION', "'divide' or 'lerp'");
    });

    it('refuses what is no count', () => {
      const ema = new EMA([parameter()]);
      for (const count of [-1, 0.5, Number.NaN, '3', 2 ** 53]) {
        expectError(
          () => {
            ema.nAveraged = count as number;
          },
          'ERR_INVALID_ARGUMENT',
          'Expected nAveraged to be an integer >= 0',
        );
      }
      expect(ema.nAveraged).toBe(0);
    });
  });

  describe('wrong parameters', () => {
    it('are refused at once', () => {
      const w = parameter(2, 'w');
      expectError(() => new EMA([w, w]), 'ERR_DUPLICATE_PARAMETER', "'w' is given twice");
      expectError(() => new EMA([['a', w], w] as never), 'ERR_NAMES', 'names');
      expectError(() => new EMA([w.data] as never), 'ERR_INVALID_PARAMETER', 'new Parameter(');
      transfer(w.data);
      expectError(() => new EMA([w]), 'ERR_DETACHED', 'transferred');
    });

    it('change nothing at an update, a swap or a restore', () => {
      const [a, b] = [parameter(2, 'a'), { data: new Float32Array(3), name: 'b' }];
      const ema = new EMA([a, b], { decay: 0.5 });
      const averaged = () => [a, b].map((p) => bits(ema.averages.get(p)!));
      const before = averaged();
      a.data.fill(9);
      const call = { swap: () => ema.swap(), update: () => ema.update() };
      for (const attempt of Object.values(call)) {
        b.data = new Float64Array(3) as never;
        expectError(attempt, 'ERR_INVALID_PARAMETER', "data of parameter 'b' to be a Float32Array");
        b.data = new Float32Array(4);
        expectError(attempt, 'ERR_INVALID_PARAMETER', 'of length 3 but received Float32Array(4)');
        b.data = new Float32Array(3);
        ema.nAveraged = 0;
        transfer(b.data);
        expectError(attempt, 'ERR_DETACHED', "data of parameter 'b'");
        b.data = ema.averages.get(a)! as never;
        expectError(attempt, 'ERR_INVALID_PARAMETER', 'length 3');
        b.data = ema.averages.get(b)! as never;
        expectError(attempt, 'ERR_OVERLAP', "data of parameter 'b' shares memory with the average");
        expect(averaged()).toEqual(before);
        expect([...a.data]).toEqual([9, 9]);
      }
      b.data = new Float32Array(3).fill(5);
      ema.swap();
      const held = bits(a.data);
      b.data = new Float32Array(2);
      expectError(() => ema.restore(), 'ERR_INVALID_PARAMETER', 'length 3');
      expect([bits(a.data), ema.swapped]).toEqual([held, true]);
      b.data = new Float32Array(3);
      ema.restore();
      expect([...a.data, ...b.data]).toEqual([9, 9, 5, 5, 5]);
    });

    it('whose memory goes while others are read are noticed', () => {
      const victim = new Float32Array(4);
      let armed = false;
      const thief = {
        get data() {
          if (armed) transfer(victim);
          armed = false;
          return own;
        },
      };
      const own = Float32Array.of(1);
      const ema = new EMA([{ data: victim }, thief]);
      for (const attempt of [() => ema.update(), () => ema.swap()]) {
        armed = victim.length > 0;
        expectError(attempt, 'ERR_DETACHED', 'at index 0');
      }
      expect(ema.nAveraged).toBe(0);
    });

    it('cannot call back into the average that reads them', () => {
      let attempt = () => {};
      const sly = {
        get data() {
          attempt();
          return array;
        },
      };
      const array = Float32Array.of(1);
      const ema: EMA = new EMA([sly]);
      const calls = {
        update: () => ema.update(),
        swap: () => ema.swap(),
        restore: () => ema.restore(),
        dispose: () => ema.dispose(),
        setting: () => {
          ema.decay = 0.5;
        },
      };
      for (const [name, call] of Object.entries(calls)) {
        attempt = call;
        expectError(() => ema.update(), 'ERR_BUSY', name);
      }
      attempt = () => {};
      ema.update();
      expect(ema.nAveraged).toBe(1);
    });
  });

  describe('the order of calls', () => {
    it('is guarded', () => {
      const w = parameter();
      const ema = new EMA([w]);
      expectError(() => ema.restore(), 'ERR_SWAPPED', 'restore() was called without swap()');
      ema.swap();
      expectError(() => ema.swap(), 'ERR_SWAPPED', 'call restore() first');
      expectError(() => ema.update(), 'ERR_SWAPPED', 'update() was called while');
      ema.restore();
      ema.update();
    });

    it('ends with dispose, which restores', () => {
      const w = parameter(2);
      const ema = new EMA([w]);
      w.data.fill(9);
      ema.swap();
      ema.dispose();
      expect([...w.data]).toEqual([9, 9]);
      ema.dispose();
      ema.detach();
      const calls = [
        () => ema.update(),
        () => ema.swap(),
        () => ema.restore(),
        () => ema.attach(new SGD([w])),
        () => {
          ema.decay = 0.1;
        },
        () => {
          ema.nAveraged = 1;
        },
      ];
      for (const call of calls) expectError(call, 'ERR_DISPOSED', 'disposed');
    });

    it('is ended by using', () => {
      const w = parameter(1);
      let kept: EMA;
      {
        using ema = new EMA([w]);
        kept = ema;
      }
      expectError(() => kept.update(), 'ERR_DISPOSED', 'disposed');
    });
  });
});

describe('what an average shows', () => {
  it.each(['updateEvery', 'lr', 'buffers', 'params', 'averages', 'warmupPower'])(
    'refuses another %s',
    (key) => {
      const ema = new EMA([parameter()], { decay: 0.5 });
      expectError(() => Object.assign(ema, { [key]: 5 }), 'ERR_READ_ONLY', key);
      expect(Object.assign(ema, { mine: 5 })).toMatchObject({ mine: 5 });
    },
  );

  it('refuses changes of its map', () => {
    const p = parameter();
    const { averages } = new EMA([p]);
    const map = averages as Map<ParameterLike, Float32Array<ArrayBufferLike>>;
    for (const change of [() => map.clear(), () => map.delete(p), () => map.set(p, p.data)]) {
      expectError(change, 'ERR_READ_ONLY', 'averages cannot be changed: write into its arrays');
    }
    expect(averages.size).toBe(1);
  });
});
