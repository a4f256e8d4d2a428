/** Steps that find no gradient: what zeroGrad() leaves, what a step reports, when it warns. */

import { setEnvironmentData } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { Adam, combine, ParameterArena, SGD, stepAll } from '../../lib/index.ts';
import { expectError, onEachBackend, parameter } from '../support/helpers.ts';

onEachBackend(() => {
  describe('zeroGrad', () => {
    const arenaOf = () => new ParameterArena({ a: [3], b: [20], c: [1] });

    it('leaves zeros in arenas, and takes the gradients of others away', () => {
      const [arena, p] = [arenaOf(), parameter()];
      const o = new SGD([...arena.parameters, p], { lr: 1 });
      arena.grad.fill(5);
      o.zeroGrad();
      expect(p.grad).toBeNull();
      for (const { grad } of arena.parameters) expect(grad!.every((g) => g === 0)).toBe(true);
      arena.grad.fill(1);
      o.step();
      expect(o.lastStep).toMatchObject({ stepped: true, parameters: 3 });
      expect([p.data[0], arena.parameters[1]!.data[19]]).toEqual([1, -1]);
    });

    it('leaves zeros in shards, and in what frozen parameters have', () => {
      const arena = arenaOf();
      const shards = [0, 1].map((i) => arena.shard(i, 2));
      arena.grad.fill(5);
      new SGD(shards).zeroGrad();
      expect(arena.grad.every((g) => g === 0)).toBe(true);
      const own = Float32Array.of(1);
      const shard = Object.assign(new ParameterArena([[1]]).shard(0, 1), { grad: own });
      new SGD([shard]).zeroGrad(); // a gradient of its own is no arena's
      expect([shard.grad, own[0]]).toEqual([null, 1]);
      arena.grad.fill(5);
      arena.parameters[0]!.frozen = true;
      new SGD(arena.parameters).zeroGrad();
      expect(arena.parameters.map(({ grad }) => grad![0])).toEqual([0, 0, 0]);
    });

    it('does what it is told, and does not bring back what was dropped', () => {
      const arena = arenaOf();
      const o = new SGD(arena.parameters);
      arena.parameters[1]!.grad = null;
      o.zeroGrad();
      expect(arena.parameters.map(({ grad }) => grad === null)).toEqual([false, true, false]);
      o.zeroGrad({ setToNone: true });
      expect(arena.parameters.every(({ grad }) => grad === null)).toBe(true);
      arena.ensureGrad().fill(3);
      combine([o]).zeroGrad();
      expect(arena.parameters[2]!.grad![0]).toBe(0);
    });

    it('touches nothing but the gradients that it is given', () => {
      const arena = arenaOf();
      arena.grad.fill(5);
      new SGD([arena.parameters[0]!, arena.parameters[2]!]).zeroGrad();
      expect(arena.parameters.map(({ grad }) => grad!.at(-1))).toEqual([0, 5, 0]);
      const stuck = { data: new Float32Array(1), grad: new Float32Array(1) };
      const mixed = new SGD([arena.parameters[1]!, Object.freeze(stuck)]);
      expectError(() => mixed.zeroGrad(), 'ERR_INVALID_GRADIENT', 'cannot be set to null');
      expect(arena.parameters[1]!.grad![0]).toBe(5); // nothing has changed
    });
  });

  it('a step reports how many parameters it moved', async () => {
    const [a, b, c] = [parameter(), parameter(), parameter()];
    const o = new Adam([{ params: [a, b] }, { params: c }], { onNonFinite: 'skip' });
    const moved = () => o.lastStep!.parameters;
    o.step();
    expect(moved()).toBe(3);
    a.grad = null;
    o.step(() => 1);
    expect(moved()).toBe(2);
    b.frozen = true;
    stepAll([o]);
    expect(moved()).toBe(1);
    b.frozen = false;
    b.grad!.fill(Number.NaN);
    combine([o]).step();
    expect(o.lastStep).toMatchObject({ stepped: false, parameters: 0 });
    o.removeParameters(b);
    o.step();
    expect(moved()).toBe(1);
    const arena = new ParameterArena([[2], [3]]);
    const later = new SGD(arena.parameters);
    arena.parameters[0]!.grad = null;
    await later.stepAsync();
    expect(later.lastStep!.parameters).toBe(1);
  });
});

describe('the warning', () => {
  let warnings: MockInstance<typeof process.emitWarning>;
  /** A package of its own: warnings are given once. */
  const load = async () => {
    setEnvironmentData('gradstep.warnings', undefined as never); // what this thread remembers
    vi.resetModules();
    return await import('../../lib/portable.ts');
  };
  beforeEach(() => {
    vi.stubGlobal('process', { ...process, emitWarning: vi.fn() });
    warnings = vi.spyOn(process, 'emitWarning');
  });
  afterEach(() => void vi.unstubAllGlobals());

  it('is given once, with a code, for a step that finds no gradient', async () => {
    const { SGD, Parameter, ParameterArena } = await load();
    const p = new Parameter([1]);
    const o = new SGD([p]);
    p.ensureGrad().fill(1);
    o.step();
    const { grad } = p;
    for (let t = 0; t < 2; t++) {
      o.zeroGrad();
      grad!.fill(1); // which the parameter does not have any more
      o.step();
    }
    const arena = new ParameterArena([[2]]);
    arena.parameters[0]!.grad = null;
    new SGD(arena.parameters).step();
    expect(warnings.mock.calls).toEqual([
      [
        expect.stringMatching(/^step\(\) found no gradient and moved nothing: none of 1 param/),
        { type: 'GradstepWarning', code: 'WARN_NO_GRADIENT' },
      ],
    ]);
  });

  it.each<[string, (lib: Awaited<ReturnType<typeof load>>) => unknown]>([
    ['a closure', ({ SGD, Parameter }) => new SGD([new Parameter([1])]).step(() => 1)],
    [
      'many',
      ({ SGD, Parameter, stepAll }) => stepAll([new SGD([new Parameter([1])]), new SGD([])]),
    ],
    ['the background', ({ SGD, Parameter }) => new SGD([new Parameter([1])]).stepAsync()],
  ])('is given for %s', async (_what, step) => {
    await step(await load());
    expect(warnings).toHaveBeenCalledTimes(1);
  });

  it('is not given where there is nothing to move, or some move', async () => {
    const { SGD, Parameter, ParameterArena, stepAll } = await load();
    new SGD([]).step();
    stepAll([]);
    new SGD([{ params: new Parameter([1]), frozen: true }]).step();
    new SGD([new Parameter([1], { frozen: true })]).step();
    const arena = new ParameterArena([[2]]);
    arena.parameters[0]!.frozen = true;
    new SGD(arena.parameters).step();
    const moving = new Parameter([1], { grad: new Float32Array(1) });
    stepAll([new SGD([new Parameter([1])]), new SGD([moving])]);
    expect(warnings).not.toHaveBeenCalled();
  });
});
