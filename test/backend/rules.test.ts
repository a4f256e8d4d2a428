/** What single optimizers promise beyond the table of all, and beyond PyTorch. */

import { describe, expect, it } from 'vitest';
import { Adagrad, ASGD, listOptimizers, NAdam, Parameter, RMSprop } from '../../lib/index.ts';
import { optimizerCases } from '../optimizers/optimizer-cases.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

const { fround, sqrt } = Math;

it('has every optimizer of the table by name', () => {
  const names = optimizerCases.map(({ name }) => name.toLowerCase());
  expect(listOptimizers()).toEqual([...names, 'muon'].sort());
});

onEachBackend(() => {
  describe('RMSprop', () => {
    it('takes momentum later: the buffer starts from zero', () => {
      const w = parameter();
      const o = new RMSprop([w]);
      o.step();
      expect(Object.keys(o.state.get(w)!)).toEqual(['step', 'squareAvg']);
      o.paramGroups[0]!.momentum = 0.5;
      const change = () =>
        w.grad!.map((g, i) => g / fround(fround(sqrt(o.state.get(w)!.squareAvg[i]!)) + 1e-8));
      o.step();
      const first = change();
      expect(bits(o.state.get(w)!.momentumBuffer!)).toEqual(bits(first));
      o.step();
      const second = change().map((x, i) => fround(first[i]! * 0.5) + x);
      expect(bits(o.state.get(w)!.momentumBuffer!)).toEqual(bits(second));
      o.paramGroups[0]!.momentum = 0;
      o.step();
      expect(bits(o.state.get(w)!.momentumBuffer!)).toEqual(bits(second)); // kept, not used
    });

    it('takes centered later: the average starts from zero', () => {
      const w = parameter();
      const o = new RMSprop([w], { alpha: 0.75 });
      o.step();
      o.paramGroups[0]!.centered = true;
      o.step();
      expect(Object.keys(o.state.get(w)!)).toEqual(['step', 'squareAvg', 'gradAvg']);
      expect(bits(o.state.get(w)!.gradAvg!)).toEqual(bits(w.grad!.map((g) => g * 0.25)));
    });
  });

  describe('Adagrad', () => {
    it('starts every group, early or late, from its own initialAccumulatorValue', () => {
      const [w, v, late, plain] = [parameter(), parameter(), parameter(), parameter()];
      const o = new Adagrad([{ params: w }, { params: v, initialAccumulatorValue: 2 }], {
        initialAccumulatorValue: 1,
      });
      o.step();
      o.addParamGroup({ params: late, initialAccumulatorValue: 3 });
      o.addParamGroup({ params: plain });
      for (const p of [w, v]) p.grad = null;
      o.step();
      for (const [p, initial] of [
        [w, 1],
        [v, 2],
        [late, 3],
        [plain, 1],
      ] as const) {
        const sum = parameter().grad!.map((g) => initial + g * g);
        expect(bits(o.state.get(p)!.sum)).toEqual(bits(sum));
      }
    });
  });

  describe('NAdam', () => {
    it('multiplies its momenta up in float32', () => {
      const w = parameter();
      const o = new NAdam([w], { momentumDecay: 0.5 });
      let product = 1;
      for (let t = 1; t <= 20; t++) {
        o.step();
        const mu = 0.9 * (1 - 0.5 * 0.96 ** (t * 0.5));
        product = fround(product * fround(mu));
        expect(o.state.get(w)!.muProduct).toBe(product);
      }
      expect(o.state.get(w)!.step).toBe(20);
      expect(() => Object.assign(o.state.get(w)!, { muProduct: 1 })).toThrow('cannot be replaced');
    });

    it('refuses a momentum that float32 rounds to 1, where PyTorch divides by zero', () => {
      const w = parameter();
      const o = new NAdam([w], { betas: [1 - 1e-12, 0.999], momentumDecay: 1e6 });
      const before = bits(w.data);
      expectError(() => o.step(), 'ERR_OVERFLOW', 'float32');
      expect(bits(w.data)).toEqual(before);
      expect(o.state.get(w)).toBeUndefined();
      o.paramGroups[0]!.betas = [0.9, 0.999];
      o.step();
      expect(o.state.get(w)!.step).toBe(1);
    });
  });

  describe('ASGD', () => {
    it('averages the parameters from t0 on', () => {
      const w = new Parameter([1, -2, 3]);
      const o = new ASGD([w], { lr: 0.1, t0: 2 });
      const seen: number[][] = [];
      for (let t = 1; t <= 12; t++) {
        w.ensureGrad().set(w.data);
        o.step();
        const { step, mu, ax } = o.state.get(w)!;
        expect([step, mu]).toEqual([t, fround(1 / Math.max(1, t - 2))]);
        if (t <= 4) expect(bits(ax)).toEqual(bits(w.data)); // no average of more than one yet
        if (t < 4) continue;
        seen.push([...w.data]);
        for (const [i, average] of ax.entries()) {
          const mean = seen.reduce((sum, data) => sum + data[i]!, 0) / seen.length;
          expect(average).toBeCloseTo(mean, 6);
        }
      }
    });

    it('lets a step set the rate of the next', () => {
      const w = parameter(1);
      const o = new ASGD([w], { lr: 0.5, lambd: 0 });
      o.step();
      o.paramGroups[0]!.lr = 0.25;
      const before = w.data[0]!;
      o.step(); // still at 0.5
      expect(w.data[0]).toBe(fround(before - 0.5 * w.grad![0]!));
      expect(o.state.get(w)!.eta).toBe(0.25);
      o.addParamGroup({ params: parameter(1), lr: 2 }); // whose first step is at 2
      o.step();
      const late = o.paramGroups[1]!.params[0]!;
      expect(late.data[0]).toBe(fround(1 - 2 * late.grad![0]!));
    });

    it.each([
      { lr: 1, lambd: -2 }, // a power of a negative number
      { lr: 1, lambd: -1, alpha: 0.5 }, // a division by zero
      { lr: 1, lambd: 9, alpha: -100 },
    ])('refuses a rate that is no float32, and changes nothing: %j', (options) => {
      const w = parameter();
      const o = new ASGD([w], options);
      const before = bits(w.data);
      expectError(() => o.step(), 'ERR_OVERFLOW', 'float32');
      expect(bits(w.data)).toEqual(before);
      expect(o.state.get(w)).toBeUndefined();
    });
  });
});
