/** Norms and clipping: PyTorch's values and bits, checks, and memory that goes away. */

import { expect, it } from 'vitest';
import {
  Adam,
  type BackendName,
  clipGradNorm,
  clipGradsWithNorm,
  clipGradValue,
  getTotalNorm,
  isas,
  Parameter,
  ParameterArena,
  type ParameterLike,
  setBackend,
  setIsa,
} from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';
import {
  clipping,
  digest,
  gradsOf,
  parametersOf,
  toFloat32,
  toNumber,
  withGrads,
} from './goldens.ts';

const { fround } = Math;
const values = (p: ParameterLike) => [...p.grad!];

/** The norm by its definition, in double. */
function exactNorm(parameters: readonly Parameter[], order: number): number {
  const norms = parameters.map(({ grad }) => normOf([...grad!], order));
  return normOf(norms, order);
}

function normOf(all: readonly number[], order: number): number {
  const sizes = all.map(Math.abs);
  if (order === Number.POSITIVE_INFINITY) return Math.max(...sizes);
  if (order === Number.NEGATIVE_INFINITY) return Math.min(...sizes);
  if (order === 0) return sizes.filter((x) => x !== 0).length;
  return sizes.reduce((sum, x) => sum + x ** order, 0) ** (1 / order);
}

function near(value: number, expected: number, tolerance: number): void {
  if (Object.is(value, expected)) return;
  expect(Math.abs(value / expected - 1), `${value}, expected ${expected}`).toBeLessThan(tolerance);
}

onEachBackend(() => {
  it.each(clipping.clip)('clips to PyTorch’s bits: $kind, order $normType to $maxNorm', (row) => {
    const parameters = parametersOf(row);
    clipGradsWithNorm(parameters, toNumber(row.maxNorm), toFloat32(row.total));
    expect(digest(gradsOf(parameters))).toBe(row.clipped);
  });

  it.each(clipping.clamp)('clamps to PyTorch’s bits: $kind to $clipValue', (row) => {
    const parameters = parametersOf(row);
    clipGradValue(parameters, toNumber(row.clipValue));
    expect(digest(gradsOf(parameters))).toBe(row.clamped);
  });

  it.each(clipping.clip.filter(({ maxNorm }) => maxNorm === 1))(
    'measures as PyTorch: $kind, order $normType',
    (row) => {
      const order = toNumber(row.normType);
      const parameters = parametersOf(row);
      const total = getTotalNorm(parameters, { normType: order });
      const exact = exactNorm(parameters, order);
      if (fround(exact) === Infinity) {
        near(total, exact, 1e-12); // infinite in PyTorch
        return;
      }
      expect(total).toBe(fround(total));
      near(total, fround(exact), 1e-7);
      // PyTorch sums in float32: powers of subnormals vanish there.
      if (row.kind !== 'denormal') near(total, toFloat32(row.total), 2e-6);
    },
  );

  it('clips gradients together, and says what their norm was', () => {
    const parameters = withGrads([3, 0], null, [0, -4]);
    expect(clipGradNorm(parameters, 1)).toBe(5);
    const coefficient = fround(1 / fround(5 + fround(1e-6)));
    const clipped = [3, 0, 0, -4].map((x) => fround(x * coefficient));
    expect([...values(parameters[0]!), ...values(parameters[2]!)]).toEqual(clipped);
    expect(parameters[1]!.grad).toBeNull();
    expect(getTotalNorm(parameters)).toBeCloseTo(1, 6);
    expect(clipGradNorm(parameters, 7)).toBeCloseTo(1, 6);
    expect([...values(parameters[0]!), ...values(parameters[2]!)]).toEqual(clipped);
  });

  it('is clipGradsWithNorm after getTotalNorm', () => {
    const [together, apart] = [0, 1].map(() => parametersOf({ seed: 3, kind: 'normal' }));
    const total = getTotalNorm(apart!);
    clipGradsWithNorm(apart!, 0.3, total);
    expect(clipGradNorm(together!, 0.3)).toBe(total);
    expect(digest(gradsOf(apart!))).toBe(digest(gradsOf(together!)));
  });

  it('knows every order of norm', () => {
    const parameters = withGrads([3, 0, -4], [0, 0], [1]);
    const norm = (normType: number | 'inf') => getTotalNorm(parameters, { normType });
    expect(norm(1)).toBe(8);
    expect(norm(2)).toBe(fround(Math.sqrt(26)));
    expect(norm('inf')).toBe(4);
    expect(norm(Number.POSITIVE_INFINITY)).toBe(4);
    expect(norm(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(norm(0)).toBe(2); // of the norms 2, 0 and 1
    expect(norm(3)).toBe(fround(Math.cbrt(92)));
    expect(norm(-1)).toBe(0);
  });

  it('takes parameters in every form that optimizers take', () => {
    const [p, q] = withGrads([3], [4]) as [Parameter, Parameter];
    const optimizer = new Adam([{ params: [p] }, { params: [q] }]);
    const generator = function* () {
      yield* [p, q];
    };
    const forms = [
      [p, q],
      new Set([p, q]),
      generator(),
      new Map([
        ['p', p],
        ['q', q],
      ]),
    ];
    const all = optimizer.paramGroups.flatMap(({ params }) => params);
    for (const form of [...forms, Object.entries({ p, q }), all]) {
      expect(getTotalNorm(form as Parameter[])).toBe(5);
    }
    expect(getTotalNorm(p)).toBe(3);
    expect(getTotalNorm(['q', q])).toBe(4);
    expect(getTotalNorm([{ data: p.data }, { data: q.data, grad: undefined }])).toBe(0);
    for (const nothing of [[], [Parameter.zeros([0])], withGrads(null, [])]) {
      expect(clipGradNorm(nothing, 1, { normType: -2, errorIfNonfinite: true })).toBe(0);
    }
  });

  it('counts and clips as often as a gradient is given', () => {
    const shared = Float32Array.of(3, 4);
    const twice = [0, 1].map(() => ({ data: new Float32Array(2), grad: shared }));
    expect(clipGradNorm(twice, fround(Math.sqrt(50)) / 2)).toBe(fround(Math.sqrt(50)));
    expect(shared[0]).toBeCloseTo(0.75, 5);
    const [p] = withGrads([8]);
    clipGradsWithNorm([p!, p!], 1, 2);
    expect(values(p!)[0]).toBeCloseTo(2, 5);
  });

  it('makes NaN of everything when the norm is NaN, and nothing of it when infinite', () => {
    const nan = withGrads([1, Number.NaN], [2]);
    expect(clipGradNorm(nan, 1)).toBeNaN();
    expect(nan.flatMap(values)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    const infinite = withGrads([1, Number.NEGATIVE_INFINITY], [-2]);
    expect(clipGradNorm(infinite, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(infinite.flatMap(values)).toEqual([0, Number.NaN, -0]);
  });

  it('throws on request instead of clipping by a norm that is not finite', () => {
    const parameters = withGrads([1], [2, Number.NaN], [Number.POSITIVE_INFINITY]);
    const clip = () => clipGradNorm(parameters, 1, { errorIfNonfinite: true });
    const phrase = clipping.error.replace('2.0', '2').replace('`error_if_nonfinite=False`', '');
    expectError(clip, 'ERR_NON_FINITE', phrase);
    expectError(
      clip,
      'ERR_NON_FINITE',
      "errorIfNonfinite: false (the first such gradient is that of 'p1')",
    );
    expect(parameters.flatMap(values)).toEqual([1, 2, Number.NaN, Number.POSITIVE_INFINITY]);
    const large = withGrads(new Array(4).fill(3e38));
    const norm = () => getTotalNorm(large, { errorIfNonfinite: true, normType: 10 });
    expectError(norm, 'ERR_NON_FINITE', 'set errorIfNonfinite: false'); // of a sum over 1e308
    expect(getTotalNorm(large, { errorIfNonfinite: true, normType: 'inf' })).toBe(fround(3e38));
  });

  it('clips right by a norm that float32 cannot hold', () => {
    for (const [maxNorm, normType, expected] of [
      [1, 2, 0.5],
      [1, 1, 0.25],
      [4e38, 2, 2e38],
      [Infinity, 2, 3e38],
      [7e38, 2, 3e38],
    ] as const) {
      const parameters = withGrads([3e38, -3e38], [3e38, 3e38]);
      const options = { normType, errorIfNonfinite: true };
      const total = normType === 2 ? 2 * fround(3e38) : 4 * fround(3e38);
      expect(clipGradNorm(parameters, maxNorm, options)).toBe(total);
      const [a, b] = [values(parameters[0]!), values(parameters[1]!)];
      for (const g of [a[0]!, -a[1]!, ...b]) near(g, expected, 1e-6);
    }
    const given = withGrads([3e38]);
    clipGradsWithNorm(given, 2, 6e38);
    near(values(given[0]!)[0]!, 1, 1e-6);
    clipGradsWithNorm(given, 2, Infinity); // torch's answer, and the only one
    expect(values(given[0]!)).toEqual([0]);
  });

  it('measures an arena as the same parameters apart', () => {
    const shapes = [[5], [4097], [3, 7]];
    const arena = new ParameterArena(shapes);
    const apart = shapes.map((shape, i) => {
      const p = Parameter.zeros(shape);
      fill(p.ensureGrad(), 'scaled', 5, 1, i);
      arena.parameters[i]!.ensureGrad().set(p.grad!);
      return p;
    });
    expect(clipGradNorm(arena.parameters, 0.5)).toBe(clipGradNorm(apart, 0.5));
    for (const [i, p] of apart.entries()) {
      expect(bits(arena.parameters[i]!.grad!)).toEqual(bits(p.grad!));
    }
  });
});

it('gives equal norms and gradients on every instruction set and backend', () => {
  const outcomes = [...isas(), 'wasm' as const, 'portable' as const].map((isa) => {
    const isNative = isa !== 'portable' && isa !== 'wasm';
    setBackend(isNative ? 'native' : (isa as BackendName));
    if (isNative) setIsa(isa);
    const parameters = [1, 17, 4095, 4096, 4097, 8193, 70_001].map((length, i) => {
      const p = parameter(length);
      fill(p.grad!, i % 2 ? 'scaled' : 'normal', 9, 1, i);
      return p;
    });
    const orders = [2, 1, 'inf', Number.NEGATIVE_INFINITY, 0, 3, 1.5, -2] as const;
    const norms = orders.map((normType) => getTotalNorm(parameters, { normType }));
    clipGradNorm(parameters, 0.1);
    clipGradValue(parameters, 1e-5);
    return { norms, grads: digest(gradsOf(parameters)) };
  });
  setBackend('native');
  setIsa(isas()[0]!);
  for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
});
