/** The number of threads: said, kept, and of no influence on the bits. */

import { describe, expect, it } from 'vitest';
import { AdamW, getNumThreads, Parameter, setNumThreads } from '../../lib/index.ts';
import { bits, expectError } from '../support/helpers.ts';

/** Parameters with gradients, always the same. */
function model(lengths: readonly number[]): Parameter[] {
  return lengths.map((length, k) => {
    const p = new Parameter(Float32Array.from({ length }, (_, i) => Math.sin(i * 7 + k)));
    p.ensureGrad().set(Float32Array.from({ length }, (_, i) => Math.cos(i * 3 + k)));
    return p;
  });
}

describe('threads', () => {
  it('give the same bits, whatever their number, treated or not', () => {
    const before = getNumThreads();
    const runs = [1, 2, 3, 5].map((count) => {
      setNumThreads(count);
      const params = model([300_001, 7, 70_000, 49, 1]);
      const options = { lr: 0.01, maxGradNorm: 1, gradScale: 0.5, onNonFinite: 'skip' } as const;
      const o = new AdamW(params, options);
      for (let i = 0; i < 4; i++) o.step();
      o.stepOptions.maxGradNorm = null;
      for (let i = 0; i < 40; i++) o.step();
      return { ...o.lastStep, bits: params.map(({ data }) => bits(data)) };
    });
    setNumThreads(before);
    for (const run of runs) expect(run).toEqual(runs[0]);
  });

  it('are as many as were asked for', () => {
    const before = getNumThreads();
    setNumThreads(7);
    expect(getNumThreads()).toBe(7);
    for (const wrong of [0, -1, 1.5, 257, Number.NaN, '2', undefined]) {
      expectError(() => setNumThreads(wrong as number), 'ERR_INVALID_ARGUMENT', 'from 1 to 256');
    }
    expect(getNumThreads()).toBe(7);
    setNumThreads(before);
  });
});
