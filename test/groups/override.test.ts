/** Options of single parameters: bits of a group of their own, live where they override nothing. */

import { describe, expect, it } from 'vitest';
import { Adam, AdamW, cosine, ParameterArena, SGD, schedule } from '../../lib/index.ts';
import { MyLion } from '../optimizer/my-lion.ts';
import { snapshot, steps } from '../optimizer/runs.ts';
import { expectError, forEachOptimizer, onEachBackend, parameter } from '../support/helpers.ts';

const three = () => [parameter(19), parameter(5), parameter(33)];

forEachOptimizer((row) => {
  it.each(Object.keys(row.other))('gives %s the bits of a group of its own', (key) => {
    const [params, same] = [three(), three()];
    const value = row.other[key];
    const { [key]: set, ...rest } = row.withState as Record<string, unknown>;
    const options = set === value ? rest : row.withState;
    const o = row.make(params, options);
    const own = row.make(
      same.map((p, i) => ({ params: [p], ...(i === 1 ? { [key]: value } : {}) })),
      options,
    );
    o.override(params[1]!, { [key]: value } as object);
    expect(o.overrideOf(params[1]!)).toEqual({ [key]: value });
    steps(o, params, [1, 2, 3]);
    steps(own, same, [1, 2, 3]);
    for (const [i, p] of params.entries()) expect(snapshot(o, p)).toEqual(snapshot(own, same[i]!));
    o.override(params[1]!, null);
    Object.assign(own.paramGroups[1]!, { [key]: own.paramGroups[0]![key as never] });
    steps(o, params, [4, 5]);
    steps(own, same, [4, 5]);
    for (const [i, p] of params.entries()) expect(snapshot(o, p)).toEqual(snapshot(own, same[i]!));
  });

  it.each(Object.keys(row.other))('follows changes of %s that it does not override', (key) => {
    const [params, same] = [three(), three()];
    const overridden = Object.keys(row.other).find((other) => other !== key)!;
    const own = { [overridden]: row.defaults[overridden] };
    const o = row.make(params);
    const groups = row.make(same.map((p) => ({ params: [p] })));
    o.override(params[2]!, own);
    steps(o, params, [1]);
    steps(groups, same, [1]);
    const change = { [key]: row.other[key] };
    Object.assign(o.paramGroups[0]!, change);
    for (const group of groups.paramGroups) Object.assign(group, change);
    steps(o, params, [2, 3]);
    steps(groups, same, [2, 3]);
    for (const [i, p] of params.entries()) {
      expect(snapshot(o, p)).toEqual(snapshot(groups, same[i]!));
    }
  });
});

onEachBackend(() => {
  describe('override', () => {
    it('follows a schedule, unless it overrides what that writes', () => {
      const [params, same] = [three(), three()];
      const o = new AdamW(params, { lr: 0.1 });
      const groups = new AdamW(
        same.map((p, i) => ({ params: [p], ...(i === 0 ? { weightDecay: 0 } : {}) })),
        { lr: 0.1 },
      );
      o.override(params[0]!, { weightDecay: 0 });
      o.override(params[1]!, { lr: 0.1 });
      const rates = { lr: cosine({ from: 1, to: 0, steps: 9 }) };
      const both = [o, groups].map((optimizer) => schedule(optimizer, rates as never));
      for (let t = 1; t < 5; t++) {
        groups.paramGroups[1]!.lr = 0.1;
        steps(o, params, [t]);
        steps(groups, same, [t]);
        for (const s of both) s.step();
      }
      expect(o.paramGroups[0]!.lr).not.toBe(0.1);
      for (const [i, p] of params.entries()) {
        expect(snapshot(o, p)).toEqual(snapshot(groups, same[i]!));
      }
    });

    it('takes the place of an earlier one, and is read-only', () => {
      const p = parameter();
      const o = new AdamW([p]);
      expect(o.overrideOf(p)).toBeUndefined();
      o.override(p, { lr: 1 });
      o.override(p, { weightDecay: 0, eps: undefined as never });
      const own = o.overrideOf(p)!;
      expect(own).toEqual({ weightDecay: 0 });
      expect(Object.isFrozen(own)).toBe(true);
      o.override(p, {});
      expect(o.overrideOf(p)).toBeUndefined();
      expect(Object.keys(o.paramGroups[0]!)).not.toContain('override');
    });

    it('refuses bad options and changes nothing', () => {
      const [p, stranger] = [parameter(3, 'w'), parameter()];
      const o = new SGD([p], { lr: 1 });
      const refuse = (options: object | null, code: string, text: string, of = p) => {
        expectError(() => o.override(of, options as never), code, text);
        expect(o.overrideOf(p)).toEqual({ lr: 0.5 });
      };
      o.override(p, { lr: 0.5 });
      refuse({ lr: -1 }, 'ERR_INVALID_OPTION', '-1. Expected lr to be a finite number >= 0');
      refuse({ lr: -1 }, 'ERR_INVALID_OPTION', "(override of parameter 'w' (group 0))");
      refuse({ learningRate: 1 }, 'ERR_UNKNOWN_OPTION', 'learningRate');
      refuse({ frozen: true }, 'ERR_UNKNOWN_OPTION', 'frozen');
      refuse({ nesterov: true }, 'ERR_INVALID_OPTION', 'Nesterov momentum requires a momentum');
      refuse([1], 'ERR_INVALID_OPTION', 'to be an object, or null');
      refuse(5 as never, 'ERR_INVALID_OPTION', 'but received 5');
      refuse({ lr: 1 }, 'ERR_INVALID_PARAMETER', 'a parameter of this optimizer', stranger);
      refuse(null, 'ERR_INVALID_PARAMETER', 'a parameter of this optimizer', null as never);
      const hostile = {
        get lr(): number {
          throw new Error('mine');
        },
      };
      expect(() => o.override(p, hostile)).toThrow('mine');
      const reentrant = {
        get lr(): number {
          o.removeParameters(p);
          return 1;
        },
      };
      refuse(reentrant, 'ERR_BUSY', 'while parameters of the same optimizer are being changed');
      expectError(
        () => o.overrideOf(stranger),
        'ERR_INVALID_PARAMETER',
        'an instance of Parameter',
      );
      o.step();
      expect(p.data[0]).toBe(Math.fround(1 - Math.fround(0.5 * Math.fround(0.1))));
      o.dispose();
      expectError(() => o.override(p, null), 'ERR_DISPOSED', 'override');
    });

    it('refuses changes of the group that do not go together with it', () => {
      const [a, b] = [parameter(), parameter(3, 'b')];
      const o = new SGD([a, b], { momentum: 0.9 });
      o.override(b, { momentum: 0 });
      const group = o.paramGroups[0]!;
      const turnOn = () => Object.assign(group, { nesterov: true });
      expectError(turnOn, 'ERR_INVALID_OPTION', "(override of parameter 'b' (group 0))");
      expect(group.nesterov).toBe(false);
      o.override(b, null);
      turnOn();
      o.step();
    });

    it('allocates what it needs, with data that was taken away too', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new Adam([a, b]);
      structuredClone(b.data.buffer, { transfer: [b.data.buffer as ArrayBuffer] });
      o.override(b, { amsgrad: true });
      b.data = new Float32Array(3);
      o.step();
      expect(Object.keys(o.state.get(a)!)).not.toContain('maxExpAvgSq');
      expect(o.state.get(b)!.maxExpAvgSq).toHaveLength(3);
      o.paramGroups[0]!.amsgrad = true;
      o.step();
      expect(o.state.get(a)!.maxExpAvgSq).toHaveLength(3);
    });

    it('shows an own optimizer the options in force', () => {
      const [params, same] = [three(), three()];
      const o = new MyLion(params, { weightDecay: 0.1 });
      const own = new MyLion(
        same.map((p, i) => ({ params: [p], ...(i === 1 ? { lr: 0.5 } : {}) })),
        { weightDecay: 0.1 },
      );
      o.override(params[1]!, { lr: 0.5 });
      for (const optimizer of [o, own]) {
        for (const group of optimizer.paramGroups) group.weightDecay = 0.2;
      }
      steps(o, params, [1, 2]);
      steps(own, same, [1, 2]);
      for (const [i, p] of params.entries())
        expect(snapshot(o, p)).toEqual(snapshot(own, same[i]!));
    });

    it('waits for an asynchronous step', async () => {
      const { parameters } = new ParameterArena([[3], [4]]);
      const o = new SGD(parameters, { lr: 1 });
      const step = o.stepAsync();
      const attempt = () => o.override(parameters[0]!, { lr: 2 });
      expectError(attempt, 'ERR_BUSY', 'while an asynchronous step');
      await step;
      attempt();
      for (const p of parameters) p.ensureGrad().fill(1);
      o.step();
      expect([parameters[0]!.data[0], parameters[1]!.data[0]]).toEqual([-2, -1]);
    });

    it('costs no memory when it comes and goes', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new SGD([a, b], { lr: 1 });
      for (let i = 0; i < 5000; i++) {
        o.override(a, { lr: 0.25 });
        o.override(a, null);
      }
      o.step();
      expect(a.data[0]).toBe(b.data[0]);
    });
  });
});
