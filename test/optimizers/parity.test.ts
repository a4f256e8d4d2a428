/**
 * PyTorch's bits, at 0 ulp: every case that was recorded from PyTorch, on every instruction set
 * of this processor, on the portable backend, and over every kind of memory.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { spaceOf } from '../../lib/backend/wasm/space.ts';
import {
  backend,
  isa,
  isas,
  Parameter,
  ParameterArena,
  setBackend,
  setIsa,
} from '../../lib/index.ts';
import { WASM_ISAS } from '../support/wasm.ts';
import { differences, goldenFiles, type MakeParameter, replay } from './golden.ts';

const files = goldenFiles();

/** One test per case; `memory` makes the allocator for the case of this number. */
function everyCase(memory: (index: number) => MakeParameter): void {
  for (const { optimizer, cases } of files) {
    for (const [index, golden] of cases.entries()) {
      test(`${optimizer}: ${golden.name}`, () => {
        const outcome = replay(optimizer, golden, memory(index));
        expect(differences(golden, outcome).join('\n')).toBe('');
      });
    }
  }
}

const separate = () => (length: number) =>
  new Parameter(new Float32Array(length), { grad: new Float32Array(length) });

/**
 * Arrays of one buffer, each at another offset modulo 64. The first offset moves from case to
 * case, so that over the cases every length lies at every offset; data and gradient never do alike.
 */
function inside(buffer: ArrayBufferLike, first = 0): (index: number) => MakeParameter {
  return (index) => {
    let end = first;
    let offset = 4 * index;
    const cut = (length: number) => {
      const start = Math.ceil(end / 64) * 64 + (offset % 64);
      offset += 20;
      end = start + 4 * length;
      return new Float32Array(buffer, start, length);
    };
    return (length) => ({ data: cut(length), grad: cut(length) });
  };
}

const PAGES = 16; // of 64 KiB

/** Node's types know WebAssembly only as a namespace of types. */
function wasmBuffer(): ArrayBuffer {
  const { Memory } = Reflect.get(globalThis, 'WebAssembly');
  return new Memory({ initial: PAGES }).buffer;
}

/** Memory in which the wasm backend steps in place. */
function insideSpace(): (index: number) => MakeParameter {
  const before = backend();
  setBackend('wasm');
  const { data } = new ParameterArena([[PAGES << 14]]);
  setBackend(before);
  expect(spaceOf(data)).toBeDefined();
  return inside(data.buffer, data.byteOffset);
}

test('the native backend is loaded', () => {
  expect(() => setBackend('native')).not.toThrow();
  expect(isas()).toContain('scalar');
});

describe('native', () => {
  beforeEach(() => setBackend('native'));

  describe.each(backend() === 'native' ? isas() : [])('%s', (name) => {
    let best: string;
    beforeAll(() => {
      best = isa();
      setIsa(name);
    });
    afterAll(() => setIsa(best));

    test('is in force', () => expect([backend(), isa()]).toEqual(['native', name]));
    describe('separate arrays', () => everyCase(separate));
    describe('unaligned arrays', () => everyCase(inside(new ArrayBuffer(PAGES << 16))));
  });

  describe('SharedArrayBuffer', () => everyCase(inside(new SharedArrayBuffer(PAGES << 16))));
  describe('WebAssembly.Memory', () => everyCase(inside(wasmBuffer())));
});

describe('wasm', () => {
  beforeAll(() => setBackend('wasm'));
  afterAll(() => setBackend('native'));

  describe.each(WASM_ISAS)('%s', (name) => {
    let best: string;
    beforeAll(() => {
      best = isa();
      setIsa(name);
    });
    afterAll(() => setIsa(best));

    test('is in force', () => expect([backend(), isa()]).toEqual(['wasm', name]));
    describe('separate arrays', () => everyCase(separate));
    describe('unaligned arrays', () => everyCase(inside(new ArrayBuffer(PAGES << 16))));
    describe('arrays of a space', () => everyCase(insideSpace()));
  });
});

describe('portable', () => {
  beforeAll(() => setBackend('portable'));
  afterAll(() => setBackend('native'));

  test('is in force', () => expect(backend()).toBe('portable'));
  everyCase(separate);
});
