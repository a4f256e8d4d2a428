/**
 * Cases of PyTorch's test/test_optim.py about large parameters, for every optimizer:
 * test_fused_large_tensor and test_fused_matches_forloop (here: every instruction set gives the
 * portable backend's bits), and test_peak_memory_foreach (a step needs no memory at all).
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isa, isas, Parameter, setBackend, setIsa } from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { onEachBackend } from '../support/helpers.ts';
import { type OptimizerCase, optimizerCases } from './optimizer-cases.ts';

const MEBI = 2 ** 20;
const LENGTH = 2 * MEBI; // 8 MiB an array
const rows = optimizerCases.map((row) => [row.name, row] as const);

function large(length: number): Parameter {
  const p = new Parameter(new Float32Array(length));
  fill(p.data, 'normal', 5, 0, 0);
  fill(p.ensureGrad(), 'scaled', 5, 1, 0);
  return p;
}

/** Data and state after two steps over a little more than a million values. */
function stepped(row: OptimizerCase): Float32Array[] {
  const p = large(MEBI + 3);
  const optimizer = row.make([p], row.withState);
  for (let step = 0; step < 2; step++) optimizer.step();
  const state = Object.values(optimizer.state.get(p) as object);
  const arrays = [p.data, ...state.filter((part) => part instanceof Float32Array)];
  optimizer.dispose();
  return arrays;
}

const same = (a: Float32Array, b: Float32Array) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );

describe('a million values', () => {
  describe.each(rows)('%s', (_name, row) => {
    let expected: Float32Array[];
    let best: string;
    beforeAll(() => {
      setBackend('portable');
      expected = stepped(row);
      setBackend('native');
      best = isa();
    });
    afterAll(() => setIsa(best));

    it.each([...isas()])('get the portable bits on %s', (name) => {
      setIsa(name);
      const arrays = stepped(row);
      expect(arrays).toHaveLength(expected.length);
      arrays.forEach((array, i) => {
        expect(same(array, expected[i]!), `array ${i}`).toBe(true);
      });
    });
  });
});

onEachBackend(() => {
  it.each(rows)('takes no memory for a step of %s', (_name, row) => {
    const p = new Parameter(new Float32Array(LENGTH).fill(0.5));
    p.ensureGrad().fill(0.25);
    const optimizer = row.make([p], row.withState);
    optimizer.step();
    const before = process.memoryUsage().arrayBuffers;
    const peak = process.resourceUsage().maxRSS;
    optimizer.step();
    expect(process.memoryUsage().arrayBuffers).toBeLessThanOrEqual(before);
    // A copy of half an array would be seen; maxRSS is in KiB.
    expect(process.resourceUsage().maxRSS - peak).toBeLessThan((2 * LENGTH) / 1024);
    optimizer.dispose();
  });
});
