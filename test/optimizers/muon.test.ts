/** Muon: PyTorch's products to a tolerance, its own bits everywhere. */

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import {
  AdamW,
  backend,
  combine,
  getNumThreads,
  isa,
  Muon,
  type MuonOptions,
  Parameter,
  ParameterArena,
  setBackend,
  setIsa,
  setNumThreads,
} from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { goTo, PLACES } from '../state-dict/runs.ts';
import { bits, expectError, onEachBackend } from '../support/helpers.ts';

interface Goldens {
  readonly seed: number;
  readonly steps: number;
  readonly shapes: readonly (readonly [number, number])[];
  readonly cases: readonly {
    readonly options: MuonOptions;
    readonly parameters: readonly { readonly data: string; readonly momentumBuffer: string }[];
  }[];
}

const file = new URL('../reference/shaped/muon.json', import.meta.url);
const { seed, steps, shapes, cases } = JSON.parse(readFileSync(file, 'utf8')) as Goldens;

const before = { backend: backend(), isa: isa(), threads: getNumThreads() };
afterAll(() => {
  setBackend(before.backend);
  if (before.backend === 'native') setIsa(before.isa);
  setNumThreads(before.threads);
});

type Shape = readonly [rows: number, columns: number];

function make(shape: Shape, i: number): Parameter {
  const p = Parameter.zeros(shape);
  fill(p.data as Float32Array, 'normal', seed, 0, i);
  return p;
}

function run(sizes: readonly Shape[], options: MuonOptions, count: number) {
  const params = sizes.map(make);
  const optimizer = new Muon(params, options);
  for (let step = 1; step <= count; step++) {
    for (const [i, p] of params.entries()) {
      fill(p.ensureGrad() as Float32Array, 'normal', seed, step, i);
    }
    optimizer.step();
  }
  return { params, optimizer };
}

const bitsOf = ({ params, optimizer }: ReturnType<typeof run>) =>
  params.map((p) => [bits(p.data), bits(optimizer.state.get(p)!.momentumBuffer)]);

const floats = (base64: string) =>
  new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);

const most = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (x, i) => Math.abs(x - b[i]!)).reduce((x, y) => Math.max(x, y), 0);

onEachBackend(() => {
  it.each(cases)("is near PyTorch's products: $options", ({ options, parameters }) => {
    const { params, optimizer } = run(shapes, options, steps);
    for (const [i, { data, momentumBuffer }] of parameters.entries()) {
      // No product enters the momentum.
      expect(bits(optimizer.state.get(params[i]!)!.momentumBuffer)).toEqual(
        bits(floats(momentumBuffer)),
      );
      const { lr = 1e-3, adjustLrFn } = options;
      const [rows, columns] = shapes[i]!;
      const ratio = adjustLrFn
        ? 0.2 * Math.sqrt(Math.max(rows, columns))
        : Math.max(1, rows / columns) ** 0.5;
      // Of values near 1, rounded to 8 bits between products.
      expect(most(params[i]!.data, floats(data)) / (lr * ratio * steps)).toBeLessThan(0.02);
    }
  });

  it.each([[[6, 6]], [[5, 9]], [[9, 5]], [[1, 4]]] as const)(
    'is the formula in float64, with float32 between products: %s',
    (shape) => {
      const options = { lr: 0.125, weightDecay: 0.25, nsDtype: 'float32' } as const;
      const { params } = run([shape], options, 4);
      const expected = reference(shape, options, 4);
      expect(most(params[0]!.data, expected)).toBeLessThan(2e-5);
    },
  );

  it('refuses what is no matrix, and changes nothing', () => {
    const p = make([2, 3], 0);
    const optimizer = new Muon([p]);
    for (const shape of [[6], [1, 2, 3], []]) {
      const wrong = Parameter.zeros(shape);
      const text = `Muon only supports 2D parameters whereas we found a parameter with size: [${shape.join(', ')}]`;
      expectError(() => new Muon([wrong]), 'ERR_INVALID_PARAMETER', text);
      expectError(() => optimizer.addParamGroup({ params: wrong }), 'ERR_INVALID_PARAMETER', text);
    }
    const flat = { data: new Float32Array(4), grad: null };
    expectError(() => new Muon([flat]), 'ERR_INVALID_PARAMETER', 'with size: [4]');
    expect(optimizer.paramGroups).toHaveLength(1);
    expectError(
      () => optimizer.replaceParameter(p, Parameter.zeros([6])),
      'ERR_INVALID_PARAMETER',
      'only supports 2D parameters',
    );
  });

  it.each([
    [{ lr: -1 }, 'Learning rate should be >= 0'],
    [{ momentum: -0.1 }, 'momentum should be >= 0'],
    [{ momentum: 1.5 }, 'momentum'],
    [{ weightDecay: -1 }, 'weight decay should be >= 0'],
    [{ adjustLrFn: 'other' }, 'Adjust learning rate function is not supported'],
    [{ nsSteps: 100 }, 'Number of steps must be less than 100'],
    [{ nsSteps: 2.5 }, 'a whole number'],
    [{ nsCoefficients: [1, 2] }, 'Coefficients must be a tuple of exactly 3 values'],
    [{ nsCoefficients: [1, 2, Number.NaN] }, 'Invalid ns_coefficients'],
    [{ nsDtype: 'float16' }, "'bfloat16', 'float32'"],
    [{ eps: -1 }, 'Invalid epsilon value'],
    [{ nesterov: 1 }, 'nesterov'],
    [{ maximize: 0 }, 'maximize'],
  ])('refuses %j in the constructor, in groups and later', (options, text) => {
    const p = make([2, 3], 0);
    const optimizer = new Muon([]);
    expectError(() => new Muon([p], options as never), 'ERR_INVALID_OPTION', text);
    const group = { params: p, ...options } as never;
    expectError(() => optimizer.addParamGroup(group), 'ERR_INVALID_OPTION', text);
    optimizer.addParamGroup({ params: p });
    expectError(
      () => Object.assign(optimizer.paramGroups[0]!, options),
      'ERR_INVALID_OPTION',
      text,
    );
  });

  it('goes on from a state dict, JSON or not, with the same bits', () => {
    const whole = run(shapes, { lr: 0.02 }, 5);
    const half = run(shapes, { lr: 0.02 }, 3);
    const params = half.params.map((p) => new Parameter(p.data.slice(), { shape: p.shape }));
    const optimizer = new Muon(params);
    optimizer.loadStateDict(half.optimizer.stateDict());
    for (let step = 4; step <= 5; step++) {
      for (const [i, p] of params.entries()) {
        fill(p.ensureGrad() as Float32Array, 'normal', seed, step, i);
      }
      optimizer.step();
    }
    expect(bitsOf({ params, optimizer })).toEqual(bitsOf(whole));
  });

  it('has the defaults of torch, and null for the original rate', () => {
    const { params: _, ...group } = {
      ...new Muon([make([2, 3], 0)], { adjustLrFn: null }).paramGroups[0]!,
    };
    expect(group).toEqual({
      lr: 1e-3,
      weightDecay: 0.1,
      momentum: 0.95,
      nesterov: true,
      nsCoefficients: [3.4445, -4.775, 2.0315],
      eps: 1e-7,
      nsSteps: 5,
      adjustLrFn: 'original',
      nsDtype: 'bfloat16',
      maximize: false,
    });
  });

  it('steps gradients that are clipped, scaled and turned as if they were so', () => {
    const [p, same] = [make([4, 6], 0), make([4, 6], 0)];
    const treated = new Muon([p], { maximize: true, gradScale: 0.5, clipValue: 0.25 });
    const plain = new Muon([same]);
    fill(p.ensureGrad() as Float32Array, 'normal', seed, 1, 0);
    same.ensureGrad().set(p.grad!.map((g) => -Math.max(-0.25, Math.min(0.25, g * 0.5))));
    treated.step();
    plain.step();
    expect(bits(p.data)).toEqual(bits(same.data));
  });

  it('trains a small network as AdamW does, beside one in one optimizer', () => {
    const losses = (['AdamW', 'Muon'] as const).map((name) => {
      const { weights, biases, loss } = network();
      const main =
        name === 'Muon' ? new Muon(weights, { lr: 0.02 }) : new AdamW(weights, { lr: 0.02 });
      const optimizer = combine([main, new AdamW(biases, { lr: 0.02 })]);
      const first = loss();
      for (let step = 0; step < 60; step++) {
        loss();
        for (const group of optimizer.paramGroups) group.lr = 0.05 * (1 - step / 60);
        optimizer.step();
      }
      return loss() / first;
    });
    expect(losses[0]).toBeLessThan(0.1);
    expect(losses[1]).toBeLessThan(0.1);
  });
});

describe('bits', () => {
  const sizes: readonly Shape[] = [
    [1, 1],
    [3, 70],
    [70, 3],
    [37, 41],
    [64, 64],
    [100, 33],
    [13, 300],
  ];
  const sets: readonly MuonOptions[] = [
    {},
    { nsDtype: 'float32', maximize: true, nesterov: false },
    { adjustLrFn: 'spectral_unclamped', nsSteps: 0 },
    { momentum: 0.3, eps: 0.5, weightDecay: 0 },
  ];

  it('are those of the portable backend on every instruction set', () => {
    for (const options of sets) {
      goTo('portable');
      const expected = bitsOf(run(sizes, options, 2));
      for (const place of PLACES) {
        goTo(place);
        expect(bitsOf(run(sizes, options, 2)), place).toEqual(expected);
      }
    }
  });

  it('depend on no number of threads, and on no place in memory', () => {
    setBackend('native');
    const large: readonly Shape[] = [
      [300, 700],
      [520, 260],
    ];
    setNumThreads(1);
    const expected = bitsOf(run(large, {}, 2));
    for (const threads of [2, 3]) {
      setNumThreads(threads);
      expect(bitsOf(run(large, {}, 2))).toEqual(expected);
    }
    setNumThreads(before.threads);
    const arena = new ParameterArena({ a: [300, 700], b: [520, 260] });
    const params = [...arena.parameters.values()];
    for (const [i, p] of params.entries()) fill(p.data as Float32Array, 'normal', seed, 0, i);
    const optimizer = new Muon(params);
    for (let step = 1; step <= 2; step++) {
      for (const [i, p] of params.entries()) {
        fill(p.ensureGrad() as Float32Array, 'normal', seed, step, i);
      }
      optimizer.step();
    }
    expect(params.map((p) => [bits(p.data), bits(optimizer.state.get(p)!.momentumBuffer)])).toEqual(
      expected,
    );
  });
});

/** The formula for one matrix in float64, from the same numbers. */
function reference(
  [rows, columns]: Shape,
  { lr, weightDecay }: { lr: number; weightDecay: number },
  count: number,
) {
  const start = make([rows, columns], 0);
  let param = [...start.data];
  let buffer = param.map(() => 0);
  const product = (a: number[][], b: number[][]) =>
    a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)));
  const flip = (a: number[][]) => a[0]!.map((_, j) => a.map((row) => row[j]!));
  for (let step = 1; step <= count; step++) {
    const grad = new Float32Array(rows * columns);
    fill(grad, 'normal', seed, step, 0);
    buffer = buffer.map((b, i) => 0.95 * b + 0.05 * grad[i]!);
    const update = buffer.map((b, i) => 0.95 * b + 0.05 * grad[i]!);
    const norm = Math.sqrt(update.reduce((sum, x) => sum + x * x, 0));
    let x = Array.from({ length: rows }, (_, i) =>
      update.slice(i * columns, (i + 1) * columns).map((u) => u / norm),
    );
    if (rows > columns) x = flip(x);
    for (let i = 0; i < 5; i++) {
      const gram = product(x, flip(x));
      const square = product(gram, gram);
      const inner = gram.map((row, a) => row.map((g, b) => -4.775 * g + 2.0315 * square[a]![b]!));
      const outer = product(inner, x);
      x = x.map((row, a) => row.map((v, b) => 3.4445 * v + outer[a]![b]!));
    }
    if (rows > columns) x = flip(x);
    const rate = lr * Math.sqrt(Math.max(1, rows / columns));
    param = param.map(
      (p, i) => p * (1 - lr * weightDecay) - rate * x[Math.floor(i / columns)]![i % columns]!,
    );
  }
  return param;
}

/** Two layers with tanh between them, which learn a smooth function of two numbers. */
function network() {
  const weights = [make([16, 2], 0), make([1, 16], 1)];
  const biases = [Parameter.zeros([16]), Parameter.zeros([1])];
  const points = Array.from({ length: 64 }, (_, i) => [(i % 8) / 4 - 1, Math.floor(i / 8) / 4 - 1]);
  const loss = () => {
    const [w, v] = weights as [Parameter, Parameter];
    const [b, c] = biases as [Parameter, Parameter];
    for (const p of [w, v, b, c]) p.ensureGrad().fill(0);
    let total = 0;
    for (const [x, y] of points as [number, number][]) {
      const hidden = Array.from({ length: 16 }, (_, k) =>
        Math.tanh(w.data[2 * k]! * x + w.data[2 * k + 1]! * y + b.data[k]!),
      );
      const out = hidden.reduce((sum, h, k) => sum + h * v.data[k]!, c.data[0]!);
      const error = out - Math.sin(2 * x) * y;
      total += (error * error) / points.length;
      const slope = (2 * error) / points.length;
      c.grad![0]! += slope;
      for (const [k, h] of hidden.entries()) {
        v.grad![k]! += slope * h;
        const inner = slope * v.data[k]! * (1 - h * h);
        w.grad![2 * k]! += inner * x;
        w.grad![2 * k + 1]! += inner * y;
        b.grad![k]! += inner;
      }
    }
    return total;
  };
  return { weights, biases, loss };
}
