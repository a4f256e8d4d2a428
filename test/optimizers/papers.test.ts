/** Optimizers that torch has not, each against its paper in float64, one number at a time. */

import { describe, expect, it } from 'vitest';
import { Adan, AdEMAMix, LAMB, LARS, Parameter } from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { onEachBackend } from '../support/helpers.ts';
import type { OptimizerCase } from './optimizer-cases.ts';

type Options = Readonly<Record<string, never>>;
/** Steps all values, in float64; the closure holds its state. */
type Paper = (options: Options) => (x: number[], g: readonly number[], step: number) => void;

const norm = (x: readonly number[]) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
const zeros = (x: readonly number[]) => x.map(() => 0);
const mix = (b: number, old: readonly number[], fresh: readonly number[]) =>
  old.map((v, i) => b * v + (1 - b) * fresh[i]!);
const squares = (x: readonly number[]) => x.map((v) => v * v);

const lamb: Paper = (options) => {
  const {
    lr = 1e-3,
    betas = [0.9, 0.999],
    eps = 1e-6,
    weightDecay = 0.01,
  } = options as never as {
    lr?: number;
    betas?: [number, number];
    eps?: number;
    weightDecay?: number;
  };
  const { biasCorrection = true, alwaysAdapt = true } = options as { [key: string]: unknown };
  let m: number[] | undefined;
  let v: number[] | undefined;
  return (x, g, step) => {
    m = mix(betas[0], m ?? zeros(x), g);
    v = mix(betas[1], v ?? zeros(x), squares(g));
    const [c1, c2] = biasCorrection ? [1 - betas[0] ** step, 1 - betas[1] ** step] : [1, 1];
    const u = m.map((mi, i) => mi / c1 / (Math.sqrt(v![i]! / c2) + eps) + weightDecay * x[i]!);
    const trust = weightDecay !== 0 || alwaysAdapt ? norm(x) / norm(u) : 1;
    for (const [i, ui] of u.entries()) x[i]! -= lr * trust * ui;
  };
};

const lars: Paper = (options) => {
  const o = { lr: 1, momentum: 0, dampening: 0, weightDecay: 0, trustCoeff: 1e-3, eps: 1e-8 };
  const { lr, momentum, dampening, weightDecay, trustCoeff, eps } = {
    ...o,
    ...options,
  } as typeof o;
  const { alwaysAdapt = true, nesterov = false } = options as { [key: string]: unknown };
  let buffer: number[] | undefined;
  return (x, g) => {
    const adapts = weightDecay !== 0 || alwaysAdapt;
    const trust = adapts ? (trustCoeff * norm(x)) / (norm(g) + weightDecay * norm(x) + eps) : 1;
    const scaled = g.map((gi, i) => trust * (gi + weightDecay * x[i]!));
    buffer = buffer?.map((b, i) => momentum * b + (1 - dampening) * scaled[i]!) ?? scaled;
    for (const [i, gi] of scaled.entries()) {
      const direction = nesterov ? gi + momentum * buffer[i]! : momentum ? buffer[i]! : gi;
      x[i]! -= lr * direction;
    }
  };
};

const adan: Paper = (options) => {
  const o = { lr: 1e-3, betas: [0.98, 0.92, 0.99], eps: 1e-8, weightDecay: 0, noProx: false };
  const { lr, betas, eps, weightDecay, noProx } = { ...o, ...options } as typeof o;
  const [b1, b2, b3] = betas as [number, number, number];
  let before: readonly number[] | undefined;
  let [m, d, v]: number[][] = [];
  return (x, g, step) => {
    const change = g.map((gi, i) => gi - (before ?? g)[i]!);
    before = g;
    m = mix(b1, m ?? zeros(x), g);
    d = mix(b2, d ?? zeros(x), change);
    v = mix(b3, v ?? zeros(x), squares(g.map((gi, i) => gi + b2 * change[i]!)));
    for (const i of x.keys()) {
      const under = Math.sqrt(v[i]! / (1 - b3 ** step)) + eps;
      if (noProx) x[i]! *= 1 - lr * weightDecay;
      x[i]! -= ((lr / (1 - b1 ** step)) * m[i]!) / under;
      x[i]! -= (((lr * b2) / (1 - b2 ** step)) * d[i]!) / under;
      if (!noProx) x[i]! /= 1 + lr * weightDecay;
    }
  };
};

const ademamix: Paper = (options) => {
  const o = { lr: 1e-3, betas: [0.9, 0.999, 0.9999], alpha: 5, alphaWarmup: 0, eps: 1e-8 };
  const { lr, betas, alpha, alphaWarmup, eps, weightDecay } = {
    ...o,
    weightDecay: 0,
    ...options,
  } as typeof o & { weightDecay: number };
  const [b1, b2, b3] = betas as [number, number, number];
  let [fast, slow, v]: number[][] = [];
  return (x, g, step) => {
    fast = mix(b1, fast ?? zeros(x), g);
    slow = mix(b3, slow ?? zeros(x), g);
    v = mix(b2, v ?? zeros(x), squares(g));
    const a = alpha * (alphaWarmup > 0 ? Math.min(1, step / alphaWarmup) : 1);
    for (const i of x.keys()) {
      const under = Math.sqrt(v[i]! / (1 - b2 ** step)) + eps;
      const u = (fast[i]! / (1 - b1 ** step) + a * slow[i]!) / under;
      x[i]! -= lr * (u + weightDecay * x[i]!);
    }
  };
};

const table: readonly [string, OptimizerCase['make'], Paper, readonly object[]][] = [
  [
    'LAMB',
    (params, options) => new LAMB(params as [], options) as never,
    lamb,
    [
      {},
      { lr: 0.05, weightDecay: 0.25 },
      { lr: 0.05, weightDecay: 0, alwaysAdapt: false },
      { lr: 0.05, weightDecay: 0, biasCorrection: false },
      { lr: 0.02, betas: [0.3, 0.7], eps: 0.01 },
    ],
  ],
  [
    'LARS',
    (params, options) => new LARS(params as [], options) as never,
    lars,
    [
      { lr: 0.125, alwaysAdapt: false },
      { weightDecay: 0.1 },
      { lr: 0.5, momentum: 0.9, weightDecay: 0.01, trustCoeff: 0.1 },
      { lr: 0.5, momentum: 0.5, dampening: 0.25, eps: 0.5 },
      { lr: 0.5, momentum: 0.5, nesterov: true, weightDecay: 0.1, trustCoeff: 0.05 },
    ],
  ],
  [
    'Adan',
    (params, options) => new Adan(params as [], options) as never,
    adan,
    [
      {},
      { lr: 0.02, weightDecay: 0.5 },
      { lr: 0.02, weightDecay: 0.5, noProx: true },
      { lr: 0.01, betas: [0.3, 0.4, 0.9], eps: 0.01 },
    ],
  ],
  [
    'AdEMAMix',
    (params, options) => new AdEMAMix(params as [], options) as never,
    ademamix,
    [
      {},
      { lr: 0.01, alphaWarmup: 16, weightDecay: 0.1 },
      { lr: 0.01, betas: [0.4, 0.9, 0.3], alpha: 0.5, eps: 0.01 },
    ],
  ],
];

onEachBackend(() => {
  describe.each(table)('%s', (_, make, paper, sets) => {
    it.each(sets)('%j', (options) => {
      const p = Parameter.zeros([33]);
      fill(p.data as Float32Array, 'normal', 21, 0, 0);
      const expected = [...p.data];
      const follow = paper(options as Options);
      const optimizer = make([p], options);
      const turned = make([], { maximize: true }).defaults; // is an option of each
      expect(turned).toHaveProperty('maximize', true);
      for (let step = 1; step <= 24; step++) {
        fill(p.ensureGrad() as Float32Array, 'normal', 21, step, 0);
        follow(expected, [...p.grad!], step);
        optimizer.step();
      }
      for (const [i, x] of expected.entries()) expect(Math.abs(p.data[i]! - x)).toBeLessThan(2e-5);
    });
  });
});
