/** Adafactor against PyTorch, to a tolerance: its sums are float32 in an order of the machine's. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Adafactor, type AdafactorOptions, Parameter } from '../../lib/index.ts';
import { fill, type Kind } from '../reference/inputs.ts';
import { expectError, onEachBackend } from '../support/helpers.ts';

interface Goldens {
  readonly seed: number;
  readonly steps: number;
  readonly shapes: readonly (readonly number[])[];
  readonly cases: readonly {
    readonly options: AdafactorOptions;
    readonly grads: Kind;
    readonly parameters: readonly Readonly<Record<string, string | number>>[];
  }[];
}

const file = new URL('../reference/shaped/adafactor.json', import.meta.url);
const { seed, steps, shapes, cases } = JSON.parse(readFileSync(file, 'utf8')) as Goldens;

/** Relative to the largest value: below what docs/optimizers.md says was seen. */
const TOLERANCE = 1e-6;

function make(shape: readonly number[], i: number): Parameter {
  const p = Parameter.zeros(shape);
  fill(p.data as Float32Array, 'normal', seed, 0, i);
  return p;
}

function floats(base64: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);
}

/** The largest difference, relative to the largest value. */
function difference(received: Float32Array, expected: Float32Array): number {
  expect(received.length).toBe(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(0, ...received.map((x, i) => Math.abs(x - expected[i]!))) / largest;
}

onEachBackend(() => {
  it.each(cases)('is as PyTorch: $options, $grads gradients', ({ options, grads, parameters }) => {
    const params = shapes.map(make);
    const optimizer = new Adafactor(params, options);
    for (let step = 1; step <= steps; step++) {
      for (const [i, p] of params.entries()) {
        fill(p.ensureGrad() as Float32Array, grads, seed, step, i);
      }
      optimizer.step();
    }
    for (const [i, expected] of parameters.entries()) {
      const state = optimizer.state.get(params[i]!)!;
      expect(['data', ...Object.keys(state)].sort()).toEqual(Object.keys(expected).sort());
      const received: Record<string, unknown> = { data: params[i]!.data, ...state };
      for (const [name, value] of Object.entries(expected)) {
        if (typeof value === 'number') expect(received[name]).toBe(value);
        else {
          const found = difference(received[name] as Float32Array, floats(value));
          expect(found, `${name} of [${shapes[i]}]`).toBeLessThan(TOLERANCE);
        }
      }
    }
  });

  describe("Hugging Face's options, in float64", () => {
    /** transformers' formula for a matrix, one number at a time. */
    function reference(data: number[], grads: readonly number[][], options: HuggingFace) {
      const [rows, columns] = [3, 4];
      const rowVar = new Array<number>(rows).fill(0);
      const colVar = new Array<number>(columns).fill(0);
      const expAvg = data.map(() => 0);
      const rms = (x: readonly number[]) => Math.sqrt(x.reduce((s, v) => s + v * v, 0) / x.length);
      const mean = (x: readonly number[]) => x.reduce((s, v) => s + v, 0) / x.length;
      for (const [t, g] of grads.entries()) {
        const step = t + 1;
        const most = options.warmupInit ? 1e-6 * step : options.lr;
        const rate = options.relativeStep ? Math.min(most, 1 / Math.sqrt(step)) : most;
        const alpha = (options.scaleParameter ? Math.max(1e-3, rms(data)) : 1) * rate;
        const fresh = step ** -0.8;
        const squares = g.map((x) => x * x);
        for (let i = 0; i < rows; i++) {
          const own = mean(squares.slice(i * columns, (i + 1) * columns));
          rowVar[i] = (1 - fresh) * rowVar[i]! + fresh * own;
        }
        for (let j = 0; j < columns; j++) {
          const own = mean(squares.filter((_, i) => i % columns === j));
          colVar[j] = (1 - fresh) * colVar[j]! + fresh * own;
        }
        const scale = mean(rowVar);
        let update = g.map((x, i) => {
          const v = (rowVar[Math.floor(i / columns)]! * colVar[i % columns]!) / scale;
          return x / Math.sqrt(v);
        });
        const clip = Math.max(1, rms(update));
        update = update.map((x) => (alpha * x) / clip);
        for (const [i, x] of update.entries()) {
          expAvg[i] = options.beta1 * expAvg[i]! + (1 - options.beta1) * x;
          data[i]! -= options.beta1 > 0 ? expAvg[i]! : x;
        }
      }
      return data;
    }

    interface HuggingFace {
      readonly lr: number;
      readonly beta1: number;
      readonly scaleParameter: boolean;
      readonly relativeStep: boolean;
      readonly warmupInit: boolean;
    }

    const plain = {
      lr: 0.125,
      beta1: 0,
      scaleParameter: false,
      relativeStep: false,
      warmupInit: false,
    };

    it.each([
      plain,
      { ...plain, scaleParameter: true },
      { ...plain, relativeStep: true, lr: 0.5 },
      { ...plain, beta1: 0.75 },
      { ...plain, relativeStep: true, warmupInit: true, scaleParameter: true },
    ])('%j', (options) => {
      const p = make([3, 4], 1);
      const grads = Array.from({ length: 8 }, (_, step) => {
        const grad = new Float32Array(12);
        fill(grad, 'normal', seed, step + 1, 1);
        return grad;
      });
      const expected = reference(
        [...p.data],
        grads.map((grad) => [...grad]),
        options,
      );
      const optimizer = new Adafactor([p], options);
      for (const grad of grads) {
        p.ensureGrad().set(grad);
        optimizer.step();
      }
      expect(difference(p.data as Float32Array, Float32Array.from(expected))).toBeLessThan(1e-5);
    });
  });

  it('remembers rows and columns of the last two dimensions alone', () => {
    const p = make([6, 4, 5], 0);
    const optimizer = new Adafactor([p], {});
    p.ensureGrad().fill(1);
    optimizer.step();
    const { rowVar, colVar, variance, expAvg } = optimizer.state.get(p)!;
    expect([rowVar!.length, colVar!.length, variance, expAvg]).toEqual([
      24,
      30,
      undefined,
      undefined,
    ]);
  });

  it('takes a parameter without a shape for a vector, and refuses a wrong shape', () => {
    const flat = { data: new Float32Array(6), grad: new Float32Array(6).fill(1) };
    const optimizer = new Adafactor([flat]);
    optimizer.step();
    expect(optimizer.state.get(flat)!.variance).toHaveLength(6);
    for (const shape of [[2, 4], [2.5], [-2, -3], 'no', [Number.NaN]]) {
      const wrong = { data: new Float32Array(6), grad: null, shape: shape as number[] };
      expectError(
        () => optimizer.addParamGroup({ params: [wrong] }),
        'ERR_INVALID_PARAMETER',
        'Expected the shape of parameter at index 0 (group 1) to be one of 6 values',
      );
    }
    expect(optimizer.paramGroups).toHaveLength(1);
  });

  it('keeps what it remembers for a parameter of the same shape alone', () => {
    const [p, same, other] = [make([2, 3], 0), make([2, 3], 1), make([3, 2], 2)];
    const optimizer = new Adafactor([p]);
    p.ensureGrad().fill(1);
    optimizer.step();
    const replace = (options?: object) => () => optimizer.replaceParameter(p, other, options);
    expectError(replace(), 'ERR_INVALID_ARGUMENT', 'by rows and columns, of shape [2, 3]');
    const index = [0, 1, 2, 3, 4, 5];
    expectError(replace({ index }), 'ERR_INVALID_ARGUMENT', "Expected state: 'reset'");
    optimizer.replaceParameter(p, same);
    expect(optimizer.state.get(same)!.step).toBe(1);
    optimizer.replaceParameter(same, other, { state: 'reset' });
    other.ensureGrad().fill(1);
    optimizer.step();
    expect(optimizer.state.get(other)!.rowVar).toHaveLength(3);
  });
});
