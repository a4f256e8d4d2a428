/** The training cycle: zeroGrad(), gradients, step(), with and without a closure. */

import { describe, expect, it } from 'vitest';
import { Adam, Parameter, type ParameterLike, SGD } from '../../lib/index.ts';
import {
  bits,
  expectError,
  forEachOptimizer,
  onEachBackend,
  parameter,
} from '../support/helpers.ts';

onEachBackend(() => {
  it('learns: zeroGrad, forward, backward, step', () => {
    const w = new Parameter([0]);
    const o = new Adam([w], { lr: 0.1 });
    for (let t = 0; t < 200; t++) {
      o.zeroGrad();
      w.ensureGrad()[0]! += 2 * (w.data[0]! - 3); // of (w - 3)²
      o.step();
    }
    expect(w.data[0]).toBeCloseTo(3, 3);
  });

  describe('zeroGrad', () => {
    it('drops gradients, and Parameter hands the buffer back zeroed', () => {
      const w = parameter();
      const o = new SGD([w]);
      const buffer = w.grad;
      o.zeroGrad();
      expect(w.grad).toBeNull();
      expect(w.ensureGrad()).toBe(buffer);
      expect([...w.grad!]).toEqual([0, 0, 0]);
      expect(w.ensureGrad()).toBe(buffer);
      o.zeroGrad({ setToNone: true });
      expect(w.grad).toBeNull();
    });

    it('fills in place with setToNone: false', () => {
      const w = parameter();
      const plain: ParameterLike = { data: new Float32Array(2), grad: Float32Array.of(1, 2) };
      const grad = plain.grad;
      new SGD([w, plain]).zeroGrad({ setToNone: false });
      expect([...w.grad!]).toEqual([0, 0, 0]);
      expect(plain.grad).toBe(grad);
      expect([...plain.grad!]).toEqual([0, 0]);
    });

    it('checks its argument and every gradient before the first is touched', () => {
      const [w, v] = [parameter(), parameter()];
      const o = new SGD([w, v]);
      const wrong = 1 as unknown as boolean;
      expectError(() => o.zeroGrad({ setToNone: wrong }), 'ERR_INVALID_ARGUMENT', 'received 1');
      expectError(() => o.zeroGrad(false as never), 'ERR_INVALID_ARGUMENT', 'received false');
      expectError(
        () => o.zeroGrad({ setToNon: false } as never),
        'ERR_INVALID_ARGUMENT',
        'setToNon',
      );
      v.grad = new Float32Array(7);
      const before = bits(w.grad!);
      expectError(() => o.zeroGrad({ setToNone: false }), 'ERR_INVALID_GRADIENT', 'at index 1');
      expect(bits(w.grad!)).toEqual(before);
    });
  });

  describe('step(closure)', () => {
    it('returns the loss, and sees what the closure changed', () => {
      const w = new Parameter([1, 1]);
      const o = new SGD([w], { lr: 1 });
      const late = parameter(1);
      const loss = o.step(() => {
        o.zeroGrad();
        w.ensureGrad().fill(0.5);
        for (const group of o.paramGroups) group.lr = 2;
        o.addParamGroup({ params: late, lr: 10 });
        return 42;
      });
      expect(loss).toBe(42);
      expect([...w.data]).toEqual([0, 0]);
      expect(late.data[0]).toBeCloseTo(0, 6);
    });

    it('refuses a promise before any update', async () => {
      const w = parameter();
      const o = new Adam([w]);
      const before = bits(w.data);
      const rejecting = async () => {
        throw new Error('never seen');
      };
      expectError(() => o.step(async () => 1), 'ERR_ASYNC_CLOSURE', 'promise');
      expectError(() => o.step(rejecting), 'ERR_ASYNC_CLOSURE', 'await the loss');
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(bits(w.data)).toEqual(before);
      expect(o.state.size).toBe(0);
    });

    it('refuses a step of the same optimizer inside, and allows another', () => {
      const [w, v] = [parameter(), parameter()];
      const [o, other] = [new SGD([w], { lr: 1 }), new SGD([v], { lr: 1 })];
      const before = bits(w.data);
      expectError(() => o.step(() => o.step()), 'ERR_BUSY', 'inside a step of the same optimizer');
      expect(bits(w.data)).toEqual(before);
      o.step(() => other.step());
      expect(bits(w.data)).toEqual(bits(v.data));
      expect(bits(w.data)).not.toEqual(before);
    });

    it('changes nothing when it throws, and goes on afterwards', () => {
      const w = parameter();
      const o = new Adam([w]);
      const before = bits(w.data);
      const failing = () => {
        throw new RangeError('mine');
      };
      expect(() => o.step(failing)).toThrow(RangeError);
      expect(bits(w.data)).toEqual(before);
      expect(o.state.has(w)).toBe(false);
      o.step();
      expect(o.state.get(w)!.step).toBe(1);
    });

    it('refuses what is no function, and a disposal inside', () => {
      const o = new SGD([parameter()]);
      expectError(() => o.step(5 as never), 'ERR_INVALID_ARGUMENT', 'Expected closure');
      expectError(() => o.step(() => o.dispose()), 'ERR_DISPOSED', 'disposed');
    });
  });

  it('skips a parameter without a gradient wholly', () => {
    const [w, v] = [parameter(), parameter()];
    const o = new Adam([w, v], { weightDecay: 0.5 });
    o.step();
    const [data, expAvg] = [bits(v.data), bits(o.state.get(v)!.expAvg)];
    v.grad = null;
    o.step();
    expect(o.state.get(w)!.step).toBe(2);
    expect(o.state.get(v)!.step).toBe(1);
    expect(bits(v.data)).toEqual(data);
    expect(bits(o.state.get(v)!.expAvg)).toEqual(expAvg);
    v.ensureGrad();
    o.step();
    expect(o.state.get(v)!.step).toBe(2);
    expect(bits(v.data)).not.toEqual(data); // a zero gradient is a step: momentum moves it
  });

  it('takes undefined for a missing gradient', () => {
    const plain: ParameterLike = { data: Float32Array.of(1) };
    const o = new SGD([plain], { lr: 1 });
    o.step();
    expect(plain.data[0]).toBe(1);
    plain.grad = Float32Array.of(1);
    o.step();
    expect(plain.data[0]).toBe(0);
  });

  it('refuses a step whose size float32 cannot hold, and changes nothing', () => {
    const [w, v] = [parameter(), parameter()];
    const o = new Adam([{ params: v }, { params: w, lr: 3e38, betas: [0.9, 0.999] }]);
    const before = bits(v.data);
    expectError(
      () => o.step(),
      'ERR_OVERFLOW',
      'value cannot be converted to type float without overflow',
    );
    expect(bits(v.data)).toEqual(before);
    expect(o.state.size).toBe(0);
    o.paramGroups[1]!.lr = 0.1;
    o.step();
    expect(o.state.size).toBe(2);
  });

  it('refuses to count further than numbers go, and changes nothing', () => {
    const p = parameter();
    const o = new Adam([p]);
    o.step();
    const { state, ...others } = o.stateDict();
    const last = { ...state[0], step: Number.MAX_SAFE_INTEGER };
    o.loadStateDict({ ...others, state: { 0: last } } as never);
    const before = bits(p.data);
    expectError(() => o.step(), 'ERR_OVERFLOW', 'Steps are counted up to 9007199254740991');
    expect(bits(p.data)).toEqual(before);
    expect(o.state.get(p)!.step).toBe(Number.MAX_SAFE_INTEGER);
  });
});

forEachOptimizer((row) => {
  it('does not move what has a zero gradient and no decay', () => {
    const w = parameter();
    w.grad!.fill(0);
    const before = bits(w.data);
    const o = row.make([w], row.undecayed ?? { weightDecay: 0 });
    for (let t = 0; t < 3; t++) o.step();
    expect(bits(w.data)).toEqual(before);
  });

  it('goes the right way: down, and up with maximize', () => {
    for (const maximize of [false, true]) {
      const w = new Parameter([0.7, -0.4]);
      const o = row.make([w], { lr: 0.01, maximize });
      const loss = () => w.data.reduce((sum, x) => sum + (x - 1) ** 2, 0);
      const before = loss();
      for (let t = 0; t < 20; t++) {
        w.ensureGrad().set(w.data.map((x) => 2 * (x - 1)));
        o.step();
      }
      if (maximize) expect(loss()).toBeGreaterThan(before);
      else expect(loss()).toBeLessThan(before);
    }
  });

  it('moves one group and leaves another still', () => {
    const [w, v] = [parameter(), parameter()];
    const before = bits(v.data);
    const still = row.still ?? { lr: 1e-28, weightDecay: 0 };
    const o = row.make([{ params: w }, { params: v, ...still }]);
    for (let t = 0; t < 5; t++) o.step();
    expect(bits(v.data)).toEqual(before);
    expect(bits(w.data)).not.toEqual(before);
  });
});
