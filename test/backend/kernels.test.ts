/**
 * Every rule on every instruction set, over lengths 0 … 70 in memory that is aligned to nothing:
 * the bits of the portable backend, and of every value the bits that it has at any other length.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isa, isas, setBackend, setIsa } from '../../lib/index.ts';
import { type OptimizerCase, optimizerCases } from '../optimizers/optimizer-cases.ts';
import { fill } from '../reference/inputs.ts';

const LENGTHS = Array.from({ length: 71 }, (_, length) => length);
const SEED = 2026;
const STEPS = 6;

interface Cut {
  readonly data: Float32Array;
  grad: Float32Array | null;
}

/** Parameters that lie in one buffer, at every offset modulo 64; all begin with the same values. */
function cutParameters(offset: number): Cut[] {
  const buffer = new ArrayBuffer(128 * 1024);
  let end = 0;
  const cut = (length: number) => {
    const start = Math.ceil(end / 64) * 64 + (offset % 64);
    offset += 20;
    end = start + 4 * length;
    return new Float32Array(buffer, start, length);
  };
  return LENGTHS.map((length) => {
    const data = cut(length);
    fill(data, 'normal', SEED, 0, 0);
    return { data, grad: cut(length) };
  });
}

/** The sets of options to go through: the table's, alone and together. */
function optionsOf({ withState, other }: OptimizerCase): object[] {
  const single = Object.entries(other).map(([key, value]) => ({ ...withState, [key]: value }));
  return [{}, withState, ...single, other];
}

/**
 * Data and state after a run in which every third parameter is once skipped, and in which the
 * options become the table's others after half of the steps.
 */
function run(row: OptimizerCase, options: object, offset: number): Record<string, unknown>[] {
  const parameters = cutParameters(offset);
  const grads = parameters.map(({ grad }) => grad!);
  const optimizer = row.make(parameters, options);
  for (let step = 1; step <= STEPS; step++) {
    if (step === STEPS / 2 + 1) Object.assign(optimizer.paramGroups[0]!, row.other);
    parameters.forEach((parameter, i) => {
      fill(grads[i]!, 'scaled', SEED, step, 0);
      parameter.grad = step === 2 && i % 3 === 0 ? null : grads[i]!;
    });
    optimizer.step();
  }
  const outcome = parameters.map((parameter) => ({
    data: parameter.data,
    ...(optimizer.state.get(parameter) as Record<string, unknown>),
  }));
  optimizer.dispose();
  return outcome.map(withBits);
}

/** Arrays as their bits in one string, which is quick to compare. */
const withBits = (parts: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [
      name,
      part instanceof Float32Array ? Buffer.from(part.slice().buffer).toString('hex') : part,
    ]),
  );

/** Where two runs differ: lengths and names. */
const differences = (a: Record<string, unknown>[], b: Record<string, unknown>[]) =>
  LENGTHS.flatMap((length) =>
    Object.keys(a[length]!)
      .filter((name) => a[length]![name] !== b[length]![name])
      .map((name) => `${name} at length ${length}`),
  );

/** Where a value depends on the length of its array; parameters of one kind have one history. */
const lengthDependence = (outcome: Record<string, unknown>[]) =>
  LENGTHS.flatMap((length) => {
    const longest = outcome[length % 3 === 0 ? 69 : 70]!;
    return Object.entries(outcome[length]!)
      .filter(([name, part]) => !String(longest[name]).startsWith(String(part)))
      .map(([name]) => `${name} at length ${length}`);
  });

describe.each(optimizerCases.map((row) => [row.name, row] as const))('%s', (_name, row) => {
  const sets = optionsOf(row);
  let expected: ReturnType<typeof run>[];

  beforeAll(() => {
    setBackend('portable');
    expected = sets.map((options) => run(row, options, 0));
    setBackend('native');
  });

  it.skipIf(row.whole)('gives a value the same bits at every length', () => {
    for (const outcome of expected) expect(lengthDependence(outcome)).toEqual([]);
  });

  describe.each([...isas()])('%s', (name) => {
    let best: string;
    beforeAll(() => {
      best = isa();
      setIsa(name);
    });
    afterAll(() => setIsa(best));

    it.each([0, 4, 36])('gives the portable bits, %i bytes off', (offset) => {
      expect(isa()).toBe(name);
      sets.forEach((options, i) => {
        const outcome = run(row, options, offset);
        expect(differences(expected[i]!, outcome), JSON.stringify(options)).toEqual([]);
      });
    });
  });
});
