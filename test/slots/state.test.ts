/** `optimizer.state`, options switched on later, `defaults`, and the end of an optimizer. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Adam, SGD } from '../../lib/index.ts';
import {
  bits,
  expectError,
  forEachOptimizer,
  onEachBackend,
  parameter,
} from '../support/helpers.ts';

forEachOptimizer((row) => {
  it('has state only from the first step on, under torch’s names', () => {
    const [w, v] = [parameter(), parameter()];
    v.grad = null;
    const o = row.make([w, v], row.withState);
    expect(o.state.get(w)).toBeUndefined();
    expect([o.state.size, o.state.has(w)]).toEqual([0, false]);
    o.step();
    expect(Object.keys(o.state.get(w)!)).toEqual(row.stateKeys);
    expect(o.state.get(v)).toBeUndefined();
    expect([...o.state.keys()]).toEqual([w]);
    expect(o.state.get(parameter())).toBeUndefined();
  });

  it('gives live views', () => {
    const w = parameter();
    const o = row.make([w], row.withState);
    o.step();
    const state = o.state.get(w)!;
    const keys = row.stateKeys.filter((name) => state[name] instanceof Float32Array);
    const snapshot = () => keys.map((key) => bits(state[key] as Float32Array));
    const before = snapshot();
    w.grad!.fill(2);
    o.step();
    expect(o.state.get(w)).toBe(state);
    const after = snapshot();
    expect(after).not.toEqual(before);
    if ('step' in state) expect(state.step).toBe(2);
    for (const key of keys) (state[key] as Float32Array).fill(0); // the next step reads it
    o.step();
    expect(snapshot()).not.toEqual(after);
  });
});

onEachBackend(() => {
  describe('a read-only Map', () => {
    it('iterates like one', () => {
      const [w, v] = [parameter(), parameter()];
      const o = new Adam([w, v]);
      o.step();
      expect(o.state.size).toBe(2);
      expect([...o.state].map(([p]) => p)).toEqual([w, v]);
      expect([...o.state.values()]).toEqual([o.state.get(w), o.state.get(v)]);
      const seen: unknown[] = [];
      o.state.forEach((state, p, map) => {
        seen.push(state, p, map);
      });
      expect(seen.slice(0, 3)).toEqual([o.state.get(w), w, o.state]);
      expect('set' in o.state || 'delete' in o.state || 'clear' in o.state).toBe(false);
      for (const change of [{ step: 5 }, { expAvg: new Float32Array(3) }]) {
        const write = () => Object.assign(o.state.get(w)!, change);
        expectError(write, 'ERR_READ_ONLY', 'cannot be replaced');
      }
      const size = () => Object.assign(o.state, { size: 0 });
      expectError(size, 'ERR_READ_ONLY', 'size cannot be replaced');
      expect(inspect(o.state.get(w))).toContain('step: 1,');
    });
  });

  describe('arrays', () => {
    it('are the same objects whatever comes and goes', () => {
      const params = [parameter(), parameter(), parameter()];
      const o = new Adam(params, { amsgrad: true });
      o.step();
      let kept = params[2]!;
      const { expAvg, expAvgSq, maxExpAvgSq } = o.state.get(kept)!;
      const replacement = parameter();
      const changes = [
        () => o.removeParameters(params[0]!),
        () => o.addParamGroup({ params: parameter() }),
        () => o.override(kept, { lr: 0.5 }),
        () => Object.assign(o.paramGroups[0]!, { amsgrad: false }),
        () => Object.assign(o.paramGroups[0]!, { amsgrad: true }),
        () => {
          o.replaceParameter(kept, replacement);
          kept = replacement;
        },
        () => o.resetState(params[1]!),
      ];
      for (const change of changes) {
        const before = bits(expAvg);
        change();
        expect(bits(expAvg)).toEqual(before);
        o.step();
        expect(bits(expAvg)).not.toEqual(before);
        const now = o.state.get(kept)!;
        expect(now.expAvg).toBe(expAvg);
        expect(now.expAvgSq).toBe(expAvgSq);
        expect(now.maxExpAvgSq).toBe(maxExpAvgSq);
      }
    });

    it('that were dropped before the first step are not shown', () => {
      const shown = [true, false].map((looks) => {
        const w = parameter();
        const o = new Adam([w], { amsgrad: true });
        o.step();
        if (looks) o.state.get(w);
        o.resetState();
        o.paramGroups[0]!.amsgrad = false;
        o.step();
        return Object.keys(o.state.get(w)!);
      });
      const plain = ['step', 'expAvg', 'expAvgSq'];
      expect(shown).toEqual([plain, plain]);
    });
  });

  describe('options switched on after the first step', () => {
    it('amsgrad: the maximum starts from zero', () => {
      const [w, v] = [parameter(), parameter()];
      const [o, whole] = [new Adam([w]), new Adam([v], { amsgrad: true })];
      for (const optimizer of [o, whole]) optimizer.step();
      expect(Object.keys(o.state.get(w)!)).toEqual(['step', 'expAvg', 'expAvgSq']);
      o.paramGroups[0]!.amsgrad = true;
      for (const optimizer of [o, whole]) optimizer.step();
      expect(bits(w.data)).toEqual(bits(v.data)); // the average of squares has only grown
      expect(bits(o.state.get(w)!.maxExpAvgSq!)).toEqual(bits(whole.state.get(v)!.maxExpAvgSq!));
    });

    it('momentum: the buffer starts as a copy of the next gradient', () => {
      const w = parameter();
      const o = new SGD([w], { lr: 1 });
      o.step();
      expect(o.state.get(w)).toBeUndefined();
      Object.assign(o.paramGroups[0]!, { momentum: 0.5, dampening: 0.5 });
      expect(o.state.get(w)).toBeUndefined();
      o.step();
      expect(bits(o.state.get(w)!.momentumBuffer)).toEqual(bits(w.grad!));
      o.step();
      expect(o.state.get(w)!.momentumBuffer[0]).toBe(Math.fround(0.1));
      o.paramGroups[0]!.momentum = 0;
      o.step();
      expect(bits(o.state.get(w)!.momentumBuffer)).toEqual(bits(w.grad!)); // kept, not used
    });

    it('leaves no state when switched off before the first step', () => {
      const w = parameter();
      const o = new Adam([w], { amsgrad: true });
      o.paramGroups[0]!.amsgrad = false;
      o.step();
      expect(Object.keys(o.state.get(w)!)).toEqual(['step', 'expAvg', 'expAvgSq']);
      o.paramGroups[0]!.amsgrad = true;
      o.step();
      o.paramGroups[0]!.amsgrad = false;
      o.step();
      expect(o.state.get(w)).toHaveProperty('maxExpAvgSq');
    });

    it('for the whole group when one parameter had it: that keeps its own', () => {
      const params = [parameter(), parameter(), parameter()];
      const o = new Adam(params);
      o.override(params[1]!, { amsgrad: true });
      o.step();
      const own = o.state.get(params[1]!)!.maxExpAvgSq!;
      o.paramGroups[0]!.amsgrad = true;
      params[1]!.grad!.fill(0);
      for (const p of [params[0]!, params[2]!]) p.grad!.fill(8);
      o.step();
      const [first, second, third] = params.map((p) => o.state.get(p)!.maxExpAvgSq!);
      expect(second).toBe(own);
      expect(bits(third!)).toEqual(bits(first!));
      expect(own[0]).toBeLessThan(first![0]!);
    });

    it('only in the group where it was switched on', () => {
      const [w, v] = [parameter(), parameter()];
      const o = new Adam([{ params: w }, { params: v }]);
      o.paramGroups[1]!.amsgrad = true;
      o.step();
      expect(o.state.get(w)).not.toHaveProperty('maxExpAvgSq');
      expect(o.state.get(v)).toHaveProperty('maxExpAvgSq');
    });
  });

  describe('dispose', () => {
    it('is idempotent, and refuses every later call', () => {
      const w = parameter();
      const o = new SGD([w]);
      o.step();
      const before = bits(w.data);
      o.dispose();
      o.dispose();
      for (const call of [
        () => o.step(),
        () => o.zeroGrad(),
        () => o.addParamGroup({ params: parameter() }),
        () => Object.assign(o.paramGroups[0]!, { momentum: 0.9 }),
      ]) {
        expectError(call, 'ERR_DISPOSED', 'This optimizer has been disposed');
      }
      expect(bits(w.data)).toEqual(before);
      expect(w.grad).not.toBeNull();
      expect(o.paramGroups[0]!.lr).toBe(1e-3); // reading still works
    });

    it('answers to Symbol.dispose', () => {
      const o = new SGD([parameter()]);
      o[Symbol.dispose]();
      expectError(() => o.step(), 'ERR_DISPOSED', 'disposed');
    });
  });
});
