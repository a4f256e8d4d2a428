/** The operation that all bits rest on: fma with one rounding. */

import { afterAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../lib/backend/load-addon.ts';
import { fma } from '../../lib/backend/portable/fma.ts';
import { backend, isas, setBackend, setIsa } from '../../lib/index.ts';
import { WASM_ISAS, wasmFma } from '../support/wasm.ts';
import { cases, expected, same } from './fma-cases.ts';

const addon = loadAddon();
const { fround } = Math;
describe('fma', () => {
  const before = addon.isa();
  afterAll(() => setIsa(before));

  it.each([...isas()])('is exact on %s', (isa) => {
    setIsa(isa);
    const [a, b, c] = [0, 1, 2].map((k) => Float32Array.from(cases, (row) => row[k]!));
    const out = new Float32Array(cases.length);
    addon.debugFma(a!, b!, c!, out);
    const wrong = cases.filter((_, i) => !same(out[i]!, expected[i]!));
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it.each(WASM_ISAS)('is exact on %s', (name) => {
    const previous = backend();
    setBackend('wasm');
    setIsa(name);
    const [a, b, c] = [0, 1, 2].map((k) => Float32Array.from(cases, (row) => row[k]!));
    const out = wasmFma(a!, b!, c!);
    setIsa(WASM_ISAS[0]!);
    setBackend(previous);
    const wrong = cases.filter((_, i) => !same(out[i]!, expected[i]!));
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it('is exact in TypeScript', () => {
    const wrong = cases.filter(([a, b, c], i) => !same(fma(a!, b!, c!), expected[i]!));
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it('has cases that plain arithmetic gets wrong', () => {
    const twice = cases.filter(([a, b, c], i) => !same(fround(a! * b! + c!), expected[i]!));
    const unfused = cases.filter(
      ([a, b, c], i) => !same(fround(fround(a! * b!) + c!), expected[i]!),
    );
    expect(twice.length).toBeGreaterThan(10);
    expect(unfused.length).toBeGreaterThan(1000);
  });
});
