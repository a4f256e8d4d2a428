/** Gradients treated inside a step: the bits of treating the arrays by hand before it. */

import { expect, it } from 'vitest';
import {
  Adam,
  AdamW,
  clipGradNorm,
  clipGradValue,
  getTotalNorm,
  Parameter,
  ParameterArena,
  type ParameterLike,
  SGD,
  type StepOptions,
} from '../../lib/index.ts';
import {
  bits,
  expectError,
  forEachOptimizer,
  onEachBackend,
  parameter,
} from '../support/helpers.ts';

const LENGTHS = [3, 0, 1500, 16, 4097, 1];
const fround = Math.fround;

/** Pseudo-random parameters with gradients between -2 and 2, separate or in an arena. */
function model(seed: number, arena = false, lengths = LENGTHS): ParameterLike[] {
  let x = seed;
  const next = () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return (x / 2 ** 32 - 0.5) * 4;
  };
  const params: ParameterLike[] = arena
    ? [...new ParameterArena(lengths.map((n) => [n])).parameters]
    : lengths.map((n) => new Parameter(new Float32Array(n)));
  for (const p of params) {
    if (!p.grad) (p as Parameter).ensureGrad();
    p.data.set(p.data.map(next));
    p.grad!.set(p.grad!.map(next));
  }
  return params;
}

/** Everything that a step writes. */
function snapshot(params: readonly ParameterLike[], state: ReadonlyMap<ParameterLike, unknown>) {
  return params.map((p) => ({
    data: bits(p.data),
    state: Object.entries((state.get(p) ?? {}) as object).map(([key, value]) => [
      key,
      value instanceof Float32Array ? bits(value) : value,
    ]),
  }));
}

const scaleBy = (factor: number) => (params: readonly ParameterLike[]) => {
  for (const { grad } of params) grad!.set(grad!.map((g) => g * fround(factor)));
};

/** Options, and the same by hand. */
const treatments: [name: string, StepOptions, (params: readonly ParameterLike[]) => void][] = [
  ['gradScale', { gradScale: 0.3 }, scaleBy(0.3)],
  ['clipValue', { clipValue: 0.7 }, (params) => clipGradValue(params, 0.7)],
  ['maxGradNorm', { maxGradNorm: 1.5 }, (params) => void clipGradNorm(params, 1.5)],
  ['a norm that is not reached', { maxGradNorm: 1e9 }, () => {}],
  [
    'an infinity norm',
    { maxGradNorm: 0.5, normType: Number.POSITIVE_INFINITY },
    (params) => void clipGradNorm(params, 0.5, { normType: Number.POSITIVE_INFINITY }),
  ],
  [
    'a norm of order 3',
    { maxGradNorm: 0.5, normType: 3 },
    (params) => void clipGradNorm(params, 0.5, { normType: 3 }),
  ],
  [
    'clipScope param',
    { maxGradNorm: 0.9, clipScope: 'param' },
    (params) => {
      for (const p of params) clipGradNorm(p, 0.9);
    },
  ],
  [
    'all at once',
    { gradScale: 0.125, clipValue: 0.2, maxGradNorm: 2, zeroGradInStep: true },
    (params) => {
      scaleBy(0.125)(params);
      clipGradValue(params, 0.2);
      clipGradNorm(params, 2);
    },
  ],
];

forEachOptimizer((row) => {
  it.each(treatments)('%s has the bits of doing it by hand', (_name, options, byHand) => {
    for (const arena of [false, true]) {
      const [inside, before] = [model(7, arena), model(7, arena)];
      const a = row.make(inside, { ...row.withState, ...options });
      const b = row.make(before, row.withState);
      for (let step = 0; step < 3; step++) {
        const grads = before.map(({ grad }) => grad!.slice());
        byHand(before);
        a.step();
        b.step();
        before.forEach(({ grad }, i) => void grad!.set(grads[i]!));
        if (options.zeroGradInStep) {
          expect(inside.every(({ grad }) => grad!.every((g) => Object.is(g, 0)))).toBe(true);
          inside.forEach(({ grad }, i) => void grad!.set(grads[i]!));
        }
        expect(inside.map(({ grad }) => bits(grad!))).toEqual(grads.map(bits)); // only read
      }
      expect(snapshot(inside, a.state)).toEqual(snapshot(before, b.state));
    }
  });
});

onEachBackend((backend) => {
  it('clips each group by itself', () => {
    const [inside, before] = [model(3), model(3)];
    const groups = (params: ParameterLike[]) => [
      { params: params.slice(0, 3) },
      { params: params.slice(3) },
    ];
    const a = new SGD(groups(inside), { lr: 1, maxGradNorm: 0.5, clipScope: 'group' });
    const b = new SGD(groups(before), { lr: 1 });
    clipGradNorm(before.slice(0, 3), 0.5);
    clipGradNorm(before.slice(3), 0.5);
    a.step();
    b.step();
    expect(inside.map(({ data }) => bits(data))).toEqual(before.map(({ data }) => bits(data)));
  });

  it('reports the norm before clipping, and is live', () => {
    const params = model(5);
    const o = new AdamW(params, { maxGradNorm: 1 });
    expect(o.lastStep).toBeUndefined();
    o.step();
    const gradNorm = getTotalNorm(params);
    expect(o.lastStep).toEqual({
      stepped: true,
      parameters: params.length,
      gradNorm,
      nonFinite: 0, // as a finite norm shows
      skipped: 0,
      consecutiveSkips: 0,
    });
    o.stepOptions.maxGradNorm = null;
    o.step();
    expect(o.lastStep!.gradNorm).toBeUndefined();
    o.stepOptions.gradScale = 0.5;
    o.stepOptions.maxGradNorm = 1e9;
    o.stepOptions.onNonFinite = 'skip';
    o.step();
    expect(o.lastStep!.gradNorm).toBeCloseTo(gradNorm / 2, 4);
    expect(o.lastStep!.nonFinite).toBe(0);
  });

  it('steps with a NaN norm as torch does, and leaves what lies between parameters alone', () => {
    for (const arena of [false, true]) {
      const params = model(9, arena, [5, 7]);
      params[0]!.grad![2] = Number.NaN;
      new SGD(params, { lr: 1, maxGradNorm: 1 }).step();
      expect(params.every(({ data }) => data.every(Number.isNaN))).toBe(true);
    }
    const arena = new ParameterArena([[3], [3]]);
    arena.parameters.forEach((p) => void p.grad!.fill(Number.POSITIVE_INFINITY));
    const o = new SGD(arena.parameters, { lr: 1, momentum: 0.9, maxGradNorm: 1 });
    o.step();
    expect([...arena.data.subarray(3, 16)].every((x) => Object.is(x, 0))).toBe(true);
  });

  it('skips a step whole when a gradient is infinite or NaN, and counts it', () => {
    for (const arena of [false, true]) {
      const params = model(11, arena);
      const o = new Adam(params, { onNonFinite: 'skip', zeroGradInStep: true });
      o.step();
      params.forEach((p) => void p.grad!.fill(0.5));
      const before = snapshot(params, o.state);
      params[4]!.grad![4090] = Number.NEGATIVE_INFINITY;
      params[2]!.grad![0] = Number.NaN;
      for (const skips of [1, 2]) {
        o.step();
        expect(o.lastStep).toMatchObject({
          stepped: false,
          nonFinite: 2,
          skipped: skips,
          consecutiveSkips: skips,
        });
      }
      expect(snapshot(params, o.state)).toEqual(before);
      expect(params[0]!.grad![0]).toBe(0.5);
      params[4]!.grad![4090] = params[2]!.grad![0] = 1;
      o.step();
      expect(o.lastStep).toMatchObject({ stepped: true, nonFinite: 0, consecutiveSkips: 0 });
      expect(o.lastStep!.skipped).toBe(2);
    }
  });

  it('throws after too many skips in a row, and at once where that is asked for', () => {
    const p = parameter(3, 'w');
    const o = new SGD([['w', p]], { lr: 1, onNonFinite: 'skip', maxConsecutiveSkips: 2 });
    p.grad![1] = Number.NaN;
    o.step();
    o.step();
    expectError(() => o.step(), 'ERR_NON_FINITE', "'w' (group 0)");
    expectError(() => o.step(), 'ERR_NON_FINITE', 'maxConsecutiveSkips');
    o.stepOptions.onNonFinite = 'error';
    expectError(() => o.step(), 'ERR_NON_FINITE', "parameter 'w' (group 0)");
    expect([...p.data]).toEqual([1, 2, 3]);
    expect(o.lastStep).toMatchObject({ skipped: 2 });
    o.stepOptions.onNonFinite = 'apply';
    o.step();
    expect(p.data[1]).toBeNaN();
    expect(o.lastStep).toMatchObject({ stepped: true, nonFinite: undefined });
  });

  it('looks at gradients as they are treated', () => {
    const p = parameter(3);
    p.grad!.fill(3e38);
    const o = new SGD([p], { lr: 1e-30, gradScale: 4, onNonFinite: 'skip' });
    o.step();
    expect(o.lastStep).toMatchObject({ stepped: false, nonFinite: 3 });
    o.stepOptions.clipValue = 1;
    o.step();
    expect(o.lastStep!.stepped).toBe(true);
  });

  it('clips right by a norm that float32 cannot hold, and sees no fault in it', () => {
    for (const clipScope of ['global', 'group', 'param'] as const) {
      const params = [0, 1].map(() => ({
        data: new Float32Array(2),
        grad: new Float32Array(2).fill(3e38),
      }));
      const options = { lr: 1, maxGradNorm: 1, clipScope, onNonFinite: 'error' } as const;
      const o = new SGD(params, options);
      o.step();
      expect(o.lastStep).toMatchObject({ stepped: true, nonFinite: 0 });
      expect(o.lastStep!.gradNorm).toBe(2 * Math.fround(3e38));
      const each = clipScope === 'param' ? -Math.SQRT1_2 : -0.5;
      for (const { data } of params) for (const x of data) expect(x).toBeCloseTo(each, 6);
    }
  });

  it('looks at the norm too, where a power of it is more than a double holds', () => {
    const empty = { data: new Float32Array(0), grad: new Float32Array(0) };
    const still = { data: new Float32Array(1), grad: null };
    const p = parameter(3);
    p.grad!.fill(3e38);
    const params: [string, typeof p | typeof empty | typeof still][] = [
      ['empty', empty],
      ['still', still],
      ['large', p],
    ];
    const o = new SGD(params, { lr: 1, maxGradNorm: 1, normType: 10, onNonFinite: 'skip' });
    o.step();
    expect(o.lastStep).toMatchObject({ stepped: false, gradNorm: Infinity, nonFinite: 0 });
    expect([...p.data]).toEqual([1, 2, 3]);
    o.stepOptions.onNonFinite = 'error';
    expectError(() => o.step(), 'ERR_NON_FINITE', "parameter 'large' (group 0)");
  });

  it('zeros gradients that parameters share only when all have read them', () => {
    const grad = new Float32Array(8).fill(1);
    const params = [0, 1].map(() => ({ data: new Float32Array(8), grad }));
    const half = { data: new Float32Array(4), grad: grad.subarray(4) };
    new SGD([...params, half], { lr: 1, zeroGradInStep: true }).step();
    for (const { data } of [...params, half]) expect(new Set(data)).toEqual(new Set([-1]));
    expect(grad.every((g) => g === 0)).toBe(true);
  });

  it('refuses wrong values with the right name, in the constructor and later', () => {
    const wrong: [StepOptions | object, string][] = [
      [{ gradScale: Number.NaN }, 'gradScale'],
      [{ gradScale: '1' }, 'gradScale'],
      [{ clipValue: -1 }, 'Expected clipValue to be a number >= 0'],
      [{ maxGradNorm: -0.1 }, 'Expected maxGradNorm to be a number >= 0'],
      [{ normType: Number.NaN }, 'normType'],
      [{ clipScope: 'parameter' }, "one of 'global', 'group', 'param'"],
      [{ onNonFinite: true }, "one of 'apply', 'skip', 'error'"],
      [{ maxConsecutiveSkips: -1 }, 'maxConsecutiveSkips'],
      [{ zeroGradInStep: 1 }, 'zeroGradInStep'],
    ];
    const o = new Adam([parameter()]);
    for (const [options, text] of wrong) {
      expectError(() => new Adam([parameter()], options), 'ERR_INVALID_OPTION', text);
      expectError(() => Object.assign(o.stepOptions, options), 'ERR_INVALID_OPTION', text);
    }
    const misspelt: object = { maxGradnorm: 1 };
    expectError(() => new Adam([parameter()], misspelt), 'ERR_UNKNOWN_OPTION', 'maxGradNorm');
    expectError(() => Object.assign(o.stepOptions, misspelt), 'ERR_UNKNOWN_OPTION', 'maxGradNorm');
    const group = { params: parameter(), maxGradNorm: 1 };
    expectError(() => new Adam([group as never]), 'ERR_UNKNOWN_OPTION', 'maxGradNorm');
    o.dispose();
    expectError(() => Object.assign(o.stepOptions, { gradScale: 2 }), 'ERR_DISPOSED', 'disposed');
  });

  it('numThreads leaves the bits as they are, and is checked', () => {
    const run = (numThreads: number | null) => {
      const p = parameter(500_000);
      p.grad!.forEach((_, i, grad) => {
        grad[i] = Math.sin(i);
      });
      const o = new Adam([p], { maxGradNorm: 1, numThreads });
      for (let i = 0; i < 3; i++) o.step();
      expect(o.stepOptions.numThreads).toBe(numThreads);
      return Buffer.from(new Uint8Array(p.data.slice().buffer));
    };
    const all = run(null);
    expect(run(1).equals(all)).toBe(true);
    expect(run(2).equals(all)).toBe(true);
    for (const wrong of [0, -1, 1.5, 257, Number.NaN, '2']) {
      expectError(
        () => new Adam([parameter()], { numThreads: wrong as number }),
        'ERR_INVALID_OPTION',
        'numThreads to be null or an integer from 1 to 256',
      );
    }
    const o = new Adam([parameter()]);
    o.stepOptions.numThreads = 1;
    expect({ ...o.stepOptions }).toMatchObject({ numThreads: 1 });
  });

  it(`${backend === 'native' ? 'takes' : 'refuses'} flushDenormals`, () => {
    const p = new Parameter(Float32Array.of(0));
    const make = () => new SGD([p], { lr: 1, flushDenormals: true });
    if (backend !== 'native') {
      expectError(make, 'ERR_INVALID_OPTION', 'Only the native backend');
      return;
    }
    p.ensureGrad().fill(1e-40);
    const o = make();
    o.step();
    expect(p.data[0]).toBe(0);
    expect(p.grad![0]! * 1).toBe(fround(1e-40)); // this thread's own mode is as before
    o.stepOptions.flushDenormals = false;
    o.step();
    expect(p.data[0]).toBe(-fround(1e-40));
  });
});
