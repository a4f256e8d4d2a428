/** Frozen groups and parameters: as if they had no gradient, and the gradient left alone. */

import { describe, expect, it } from 'vitest';
import {
  Adam,
  combine,
  GradScaler,
  groupBy,
  noDecay,
  Parameter,
  ParameterArena,
  type ParameterLike,
  SGD,
} from '../../lib/index.ts';
import {
  bits,
  expectError,
  forEachOptimizer,
  onEachBackend,
  parameter,
} from '../support/helpers.ts';
import { snapshot, steps } from './runs.ts';

const model = (arena: boolean): Parameter[] => {
  const lengths = [19, 5, 33];
  const loose = lengths.map((length) => parameter(length));
  if (!arena) return loose;
  const { parameters } = new ParameterArena(lengths.map((length) => [length]));
  for (const [i, p] of parameters.entries()) p.data.set(loose[i]!.data);
  return [...parameters];
};

forEachOptimizer((row) => {
  it.each([
    ['parameters', false, 'parameter'],
    ['parameters of an arena', true, 'parameter'],
    ['groups', false, 'group'],
    ['groups of an arena', true, 'group'],
  ])('leaves frozen %s as if they had no gradient', (_, arena, what) => {
    const [params, same] = [model(arena), model(arena)];
    const groups = (list: Parameter[]) => list.map((p) => ({ params: [p] }));
    const [o, without] = [row.make(groups(params), row.other), row.make(groups(same), row.other)];
    const freeze = (frozen: boolean) => {
      if (what === 'group') o.paramGroups[1]!.frozen = frozen;
      else params[1]!.frozen = frozen;
    };
    steps(o, params, [1, 2]);
    steps(without, same, [1, 2]);
    freeze(true);
    steps(o, params, [3, 4]);
    const grad = bits(params[1]!.grad!);
    same[1]!.grad = null;
    steps(without, [same[0], undefined, same[2]], [3, 4]);
    expect(bits(params[1]!.grad!)).toEqual(grad);
    for (const [i, p] of params.entries()) {
      expect(snapshot(o, p)).toEqual(snapshot(without, same[i]!));
    }
    freeze(false);
    steps(o, params, [5]);
    steps(without, same, [5]);
    for (const [i, p] of params.entries()) {
      expect(snapshot(o, p)).toEqual(snapshot(without, same[i]!));
    }
  });
});

onEachBackend(() => {
  describe('frozen', () => {
    it.each([false, true])('plays no part in norms, checks and zeroing: arena %s', (arena) => {
      const params = model(arena);
      for (const p of params) p.ensureGrad().fill(0.5);
      params[1]!.grad!.fill(Number.NaN);
      params[1]!.frozen = true;
      const options = { maxGradNorm: 1, onNonFinite: 'error', zeroGradInStep: true } as const;
      const o = new SGD(params, { lr: 1, ...options });
      o.step();
      expect(o.lastStep).toMatchObject({ nonFinite: 0, gradNorm: Math.fround(Math.sqrt(13)) });
      expect(params[1]!.grad!.every(Number.isNaN)).toBe(true);
      expect(params[0]!.grad![0]).toBe(0);
      o.zeroGrad({ setToNone: false });
      expect(params[1]!.grad![4]).toBe(0);
      params[1]!.grad!.fill(Number.NaN);
      o.step(); // and is still frozen
      expect(params[1]!.data[4]).toBe(5);
      o.zeroGrad(); // which leaves zeros in an arena
      expect(params[1]!.grad?.[4]).toBe(arena ? 0 : undefined);
    });

    it('begins frozen, and is enumerable only where it was given', () => {
      const [a, b] = [parameter(), new Parameter([1], { frozen: true })];
      b.ensureGrad().fill(1);
      const o = new Adam([{ params: a, frozen: true, meta: 1 }, { params: b }]);
      const keys = Object.keys({ ...new Adam([parameter()]).paramGroups[0] });
      expect(Object.keys(o.paramGroups[0]!)).toEqual([...keys, 'meta', 'frozen']);
      expect(Object.keys(o.paramGroups[1]!)).toEqual(keys);
      o.step();
      expect([a.data[0], b.data[0], o.state.size]).toEqual([1, 1, 0]);
      o.paramGroups[0]!.frozen = false;
      b.frozen = false;
      o.step();
      expect([a.data[0] === 1, b.data[0] === 1, o.state.size]).toEqual([false, false, 2]);
    });

    it('comes through the group helpers', () => {
      const named = Object.entries({ 'backbone.weight': parameter(), 'head.weight': parameter() });
      const groups = noDecay(groupBy(named, [{ match: 'backbone.**', frozen: true }]));
      const o = new SGD(groups);
      expect(o.paramGroups.map(({ frozen }) => frozen)).toEqual([true, undefined]);
      o.step();
      expect(named.map(([, p]) => p.data[0] === 1)).toEqual([true, false]);
    });

    it('keeps a frozen group frozen when parameters go', () => {
      const [a, b, c] = [parameter(), parameter(), parameter()];
      const o = new SGD([{ params: [a, b], frozen: true }, { params: c }]);
      o.removeParameters(a);
      o.step();
      expect([b.data[0], c.data[0] === 1]).toEqual([1, false]);
      o.paramGroups[0]!.frozen = false;
      o.step();
      expect(b.data[0]).not.toBe(1);
    });

    it('refuses what is no boolean', () => {
      const p = { ...parameter(), data: new Float32Array(2), grad: new Float32Array(2).fill(1) };
      const hostile: ParameterLike = Object.assign(p, { frozen: null as never });
      const other = parameter();
      const o = new SGD([other, hostile]);
      expectError(
        () => o.step(),
        'ERR_INVALID_PARAMETER',
        'Expected frozen of parameter at index 1',
      );
      expect(other.data[0]).toBe(1);
      const group = o.paramGroups[0]!;
      expectError(() => Object.assign(group, { frozen: 1 }), 'ERR_INVALID_GROUP', 'received 1');
      const add = { params: parameter(), frozen: 'yes' as never };
      expectError(() => o.addParamGroup(add), 'ERR_INVALID_GROUP', "received 'yes'");
      for (const p of [other, new ParameterArena([[3]]).parameters[0]!]) {
        expectError(() => Object.assign(p, { frozen: 0 }), 'ERR_INVALID_PARAMETER', 'received 0');
      }
      const options = { frozen: 1 as never };
      expectError(() => new Parameter([1], options), 'ERR_INVALID_PARAMETER', 'received 1');
    });

    it('reads frozen once per step, and lets what it throws through', () => {
      let reads = 0;
      const array = () => new Float32Array([1]);
      const p = {
        data: array(),
        grad: array(),
        get frozen(): boolean {
          reads += 1;
          if (reads === 2) throw new Error('mine');
          return true;
        },
      };
      const o = new SGD([p], { lr: 1 });
      o.step();
      expect([reads, p.data[0]]).toEqual([1, 1]);
      expect(() => o.step()).toThrow('mine');
      o.step();
      expect([reads, p.data[0]]).toEqual([3, 1]);
    });

    it('needs no shared memory in stepAsync', async () => {
      const [arena] = new ParameterArena([[3]]).parameters;
      arena!.ensureGrad().fill(1);
      const loose = parameter();
      loose.frozen = true;
      const o = new SGD([arena!, loose], { lr: 1 });
      const step = o.stepAsync();
      loose.frozen = false;
      loose.frozen = true;
      await step;
      expect([arena!.data[0], loose.data[0]]).toEqual([-1, 1]);
      loose.frozen = false;
      await expect(o.stepAsync()).rejects.toMatchObject({ code: 'ERR_NOT_SHARED' });
    });

    it('is no business of a gradient scaler', () => {
      const [p, frozen, byGroup] = [parameter(), parameter(), parameter()];
      for (const array of [frozen.grad!, byGroup.grad!]) array.fill(Number.NaN);
      frozen.frozen = true;
      const o = new SGD([{ params: [p, frozen] }, { params: byGroup, frozen: true }]);
      const scaler = new GradScaler({ initScale: 1 });
      scaler.scale(1);
      scaler.step(o);
      expect(p.data[0]).not.toBe(1);
    });

    it('stays still in a combined step', () => {
      const [a, b] = [parameter(), parameter()];
      a.frozen = true;
      combine([new SGD([a]), new Adam([b])]).step();
      expect([a.data[0], b.data[0] === 1]).toEqual([1, false]);
    });
  });
});
