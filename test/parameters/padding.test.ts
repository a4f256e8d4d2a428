/** What lies between the parameters of an arena never counts, whatever somebody writes there. */

import { describe, expect, it } from 'vitest';
import {
  Adam,
  clipGradNorm,
  clipGradValue,
  EMA,
  GradScaler,
  getTotalNorm,
  ParameterArena,
  type ParameterLike,
  SGD,
  type StepOptions,
} from '../../lib/index.ts';
import { bits, onEachBackend } from '../support/helpers.ts';

const shapes = [[3], [20], [16], [5000], [1]];
const ORDERS = [2, 1, 0, 3, 0.5, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** An arena with gradients, and this number in all of its padding. */
function poisoned(poison: number): ParameterArena {
  const arena = new ParameterArena(shapes);
  arena.data.fill(poison);
  arena.grad.fill(poison);
  for (const [k, { data, grad }] of arena.parameters.entries()) {
    for (let i = 0; i < data.length; i++) {
      data[i] = Math.sin(i + k);
      grad![i] = Math.cos(3 * i + k) + 2;
    }
  }
  return arena;
}

const valuesOf = ({ parameters }: ParameterArena) =>
  parameters.map(({ data, grad }) => [bits(data), bits(grad!)]);

const poisons = [0, 1, 1e30, -1e-40, Number.NaN, Number.POSITIVE_INFINITY];

onEachBackend(() => {
  describe.each(poisons)('padding full of %s', (poison) => {
    it('is in no norm of a shard', () => {
      const arena = poisoned(poison);
      for (const normType of ORDERS) {
        const whole = getTotalNorm(arena.parameters, { normType });
        expect(whole).toBeGreaterThan(0);
        expect(getTotalNorm([arena.shard(0, 1)], { normType })).toBe(whole);
        expect(getTotalNorm(arena, { normType })).toBe(whole); // as one large parameter
      }
      const parts = [0, 1, 2].map((i) => getTotalNorm([arena.shard(i, 3)]) ** 2);
      const sum = Math.sqrt(parts.reduce((a, b) => a + b));
      expect(sum).toBeCloseTo(getTotalNorm(arena.parameters), 3);
    });

    it('is left alone by clipping, and makes no difference', () => {
      const [arena, clean] = [poisoned(poison), poisoned(0)];
      for (const [params, at] of [
        [[arena.shard(0, 2), arena.shard(1, 2)], arena],
        [clean.parameters, clean],
      ] as const) {
        clipGradNorm(params as Iterable<ParameterLike>, 1, { errorIfNonfinite: true });
        clipGradValue(params as Iterable<ParameterLike>, 0.01);
        expect(at.grad[3]).toBe(at === arena ? Math.fround(poison) : 0);
      }
      expect(getTotalNorm(arena.parameters)).toBe(getTotalNorm(clean.parameters));
    });

    it.each<[string, StepOptions]>([
      ['plain steps', {}],
      ['clipped by all', { maxGradNorm: 1 }],
      ['clipped one by one', { maxGradNorm: 1, clipScope: 'param', normType: -2 }],
      ['checked', { onNonFinite: 'error', clipValue: 0.5, gradScale: 0.5 }],
    ])('does not matter to %s', (_what, options) => {
      const [arena, clean, sharded, cleanShard] = [poison, 0, poison, 0].map(poisoned) as [
        ParameterArena,
        ParameterArena,
        ParameterArena,
        ParameterArena,
      ];
      const optimizers = [
        new Adam(arena.parameters, options),
        new Adam(clean.parameters, options),
        new Adam([sharded.shard(0, 2), sharded.shard(1, 2)], options),
        new Adam([cleanShard.shard(0, 2), cleanShard.shard(1, 2)], options),
      ];
      const averages = new EMA(arena.parameters).attach(optimizers[0]!);
      for (let t = 0; t < 3; t++) for (const o of optimizers) o.step();
      expect(valuesOf(arena)).toEqual(valuesOf(clean));
      expect(valuesOf(sharded)).toEqual(valuesOf(cleanShard));
      expect(optimizers[0]!.lastStep).toEqual(optimizers[1]!.lastStep);
      expect(optimizers[2]!.lastStep).toEqual(optimizers[3]!.lastStep);
      if (options.clipScope === undefined) {
        expect(optimizers[2]!.lastStep!.gradNorm).toBe(optimizers[0]!.lastStep!.gradNorm);
      }
      for (const average of averages.averages.values()) {
        expect(average.every(Number.isFinite)).toBe(true);
      }
    });

    it('is no infinity to a scaler', () => {
      const shard = poisoned(poison).shard(0, 1);
      const [o, scaler] = [new SGD([shard]), new GradScaler()];
      scaler.scale(1);
      scaler.unscale(o);
      expect(scaler.foundInf(o)).toBe(false);
    });
  });

  it('finds what is not finite in a shard, and says where', () => {
    const arena = poisoned(Number.NaN);
    arena.parameters[3]!.grad![4999] = Number.POSITIVE_INFINITY;
    const shards = [0, 1].map((i) => arena.shard(i, 2));
    const o = new SGD(shards, { onNonFinite: 'skip' });
    o.step();
    expect(o.lastStep).toMatchObject({ stepped: false, nonFinite: 1, parameters: 0 });
  });

  it('is forgotten with the shard’s place when parameters come and go', () => {
    const arena = poisoned(Number.NaN);
    const [first, second] = [0, 1].map((i) => arena.shard(i, 2));
    const o = new SGD([first!, second!], { lr: 0, maxGradNorm: 1 });
    o.removeParameters(first!);
    o.step();
    expect(o.lastStep!.gradNorm).toBe(getTotalNorm([second!]));
    expect(o.lastStep!.gradNorm).toBeGreaterThan(0);
  });
});
