/** Small things that many tests share. */

import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type BackendName,
  backend,
  GradstepError,
  Parameter,
  setBackend,
} from '../../lib/index.ts';
import { type OptimizerCase, optimizerCases } from '../optimizers/optimizer-cases.ts';

/** Runs a suite on every backend. */
export function onEachBackend(suite: (name: BackendName) => void): void {
  describe.each(['native', 'wasm', 'portable'] as const)('%s backend', (name) => {
    const before = backend();
    beforeAll(() => setBackend(name));
    afterAll(() => setBackend(before));
    suite(name);
  });
}

/** Runs a suite on each backend for every row of the table. */
export function forEachOptimizer(suite: (row: OptimizerCase) => void): void {
  onEachBackend(() => {
    for (const row of optimizerCases) describe(row.name, () => suite(row));
  });
}

/** A parameter with a gradient: values 1, 2, 3, … and gradients 0.1, 0.2, 0.3, …. */
export function parameter(length = 3, name?: string): Parameter {
  const p = new Parameter(
    Float32Array.from({ length }, (_, i) => i + 1),
    name === undefined ? {} : { name },
  );
  p.ensureGrad().set(Float32Array.from({ length }, (_, i) => (i + 1) / 10));
  return p;
}

/** An array of four over memory that a call makes shorter or longer, and the array with it. */
export function elastic(): { data: Float32Array; resize(bytes: number): void } {
  const Elastic = ArrayBuffer as unknown as new (
    bytes: number,
    options: object,
  ) => ArrayBuffer & { resize(bytes: number): void };
  const buffer = new Elastic(16, { maxByteLength: 64 });
  return { data: new Float32Array(buffer), resize: (bytes) => buffer.resize(bytes) };
}

/** Expects a GradstepError of this code whose message holds this text. */
export function expectError(call: () => unknown, code: string, text: string): void {
  let error: unknown;
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error, `expected ${code} ${text}`).toBeInstanceOf(GradstepError);
  expect((error as GradstepError).code, String(error)).toBe(code);
  expect((error as GradstepError).message).toContain(text);
}

/** The bits of a float array, for exact comparison (+0 and -0 differ). */
export function bits(array: Float32Array<ArrayBufferLike>): number[] {
  return [...new Uint32Array(array.slice().buffer)];
}
