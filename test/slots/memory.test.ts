/** Any memory, borrowed: what may lie where, and what happens when it goes away. */

import { describe, expect, it, vi } from 'vitest';
import { activeBackend } from '../../lib/backend/active.ts';
import { Space } from '../../lib/backend/wasm/space.ts';
import {
  Adam,
  backend,
  Parameter,
  ParameterArena,
  type ParameterLike,
  SGD,
} from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

type Floats = Float32Array<ArrayBufferLike>;

/** Gives the memory of an array away, as postMessage does with a transfer list. */
function transfer(array: Floats): void {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
}

// Resizable buffers stand in Node 20; the type library of ES2023 does not know them.
const resizable = (bytes: number, maxByteLength: number) =>
  new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(bytes, {
    maxByteLength,
  });
const resize = (buffer: ArrayBufferLike, bytes: number) =>
  (buffer as unknown as { resize(bytes: number): void }).resize(bytes);

// Node has it; the types of Node 20 leave it to those of the browser.
interface Memory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): void;
}
const wasmMemory = (options: { initial: number; maximum?: number; shared?: boolean }) => {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Memory: new (o: object) => Memory };
  };
  return new WebAssembly.Memory(options);
};

const kinds: Record<string, (length: number) => Floats> = {
  ArrayBuffer: (n) => new Float32Array(n),
  SharedArrayBuffer: (n) => new Float32Array(new SharedArrayBuffer(n * 4)),
  'WebAssembly.Memory': (n) => new Float32Array(wasmMemory({ initial: 1 }).buffer, 4, n),
  'shared WebAssembly.Memory': (n) =>
    new Float32Array(wasmMemory({ initial: 1, maximum: 2, shared: true }).buffer, 8, n),
  'resizable ArrayBuffer': (n) => new Float32Array(resizable(n * 4, n * 8), 0, n),
  'an odd 4-byte offset': (n) => new Float32Array(new ArrayBuffer(n * 4 + 28), 28, n),
};

onEachBackend(() => {
  it.each(Object.keys(kinds))('steps in place in %s', (kind) => {
    const expected = parameter(37);
    const o = new Adam([expected]);
    const data = kinds[kind]!(37);
    const grad = kinds[kind]!(37);
    data.set(expected.data);
    grad.set(expected.grad!);
    const { buffer } = data;
    const p: ParameterLike = { data, grad };
    const other = new Adam([p]);
    for (let t = 0; t < 3; t++) {
      o.step();
      other.step();
    }
    expect(p.data.buffer).toBe(buffer);
    expect(bits(p.data)).toEqual(bits(expected.data));
  });

  const arrays = ['data', 'grad'] as const;

  describe.each(arrays)('when the buffer of %s goes away', (field) => {
    const lose: Record<string, () => { array: Floats; go: () => void }> = {
      transferred: () => {
        const array = new Float32Array(300);
        return { array, go: () => transfer(array) };
      },
      'transferred (tiny)': () => {
        const array = new Float32Array(3);
        return { array, go: () => transfer(array) };
      },
      shrunk: () => {
        const buffer = resizable(1200, 4800);
        return { array: new Float32Array(buffer, 0, 300), go: () => resize(buffer, 1196) };
      },
      'shrunk under a tracking array': () => {
        const buffer = resizable(1200, 4800);
        return { array: new Float32Array(buffer), go: () => resize(buffer, 1196) };
      },
      'a grown wasm heap': () => {
        const memory = wasmMemory({ initial: 1 });
        return { array: new Float32Array(memory.buffer, 16, 300), go: () => memory.grow(1) };
      },
    };

    it.each(Object.keys(lose))('between steps: %s', (kind) => {
      const { array, go } = lose[kind]!();
      const [w, p] = [parameter(), { data: array, grad: array } as ParameterLike];
      const other = new Float32Array(array.length).fill(1);
      Object.assign(p, field === 'data' ? { grad: other } : { data: other });
      const o = new Adam([w, p]);
      o.step();
      go();
      const before = bits(w.data);
      const message = `${field} of parameter at index 1 (group 0)`;
      expectError(() => o.step(), 'ERR_DETACHED', message);
      expectError(() => o.step(), 'ERR_DETACHED', 'assign a new Float32Array');
      expect(bits(w.data)).toEqual(before);
      expect(o.state.get(w)!.step).toBe(1);
      Object.assign(p, { [field]: new Float32Array(other.length).fill(2) });
      o.step(); // state stays with the parameter
      expect(o.state.get(p)!.step).toBe(2);
    });

    it.each(Object.keys(lose))('inside a step, through a getter or a closure: %s', (kind) => {
      for (const way of ['getter', 'closure']) {
        const { array, go } = lose[kind]!();
        const p = { data: new Float32Array(array.length), grad: new Float32Array(array.length) };
        Object.assign(p, { [field]: array });
        let armed = false;
        const late = {
          data: new Float32Array(1),
          get grad() {
            if (armed && way === 'getter') go();
            return Float32Array.of(1);
          },
        };
        const o = new SGD([p, late], { lr: 1 });
        o.step();
        armed = true;
        const step = way === 'getter' ? () => o.step() : () => o.step(go);
        expectError(step, 'ERR_DETACHED', `${field} of parameter at index 0 (group 0)`);
        expect(late.data[0]).toBe(-1);
      }
    });
  });

  it('refuses at registration what has gone already', () => {
    const gone = new Float32Array(4);
    transfer(gone);
    expectError(() => new SGD([{ data: gone }]), 'ERR_DETACHED', 'parameter at index 0');
    const p = parameter(4);
    const o = new SGD([p]);
    p.grad = gone;
    expectError(() => o.step(), 'ERR_DETACHED', 'grad of parameter at index 0');
    expectError(() => o.zeroGrad({ setToNone: false }), 'ERR_DETACHED', 'grad of parameter');
  });

  it('notices that an array without elements goes away', () => {
    const [w, p] = [parameter(), new Parameter(new Float32Array(0))];
    p.grad = new Float32Array(0);
    const o = new SGD([w, p]);
    o.step();
    const before = bits(w.data);
    transfer(p.grad!);
    expectError(() => o.step(), 'ERR_DETACHED', 'grad of parameter at index 1');
    expectError(() => o.zeroGrad({ setToNone: false }), 'ERR_DETACHED', 'grad of parameter');
    p.grad = new Float32Array(0);
    transfer(p.data);
    expectError(() => o.step(), 'ERR_DETACHED', 'data of parameter at index 1');
    expect(bits(w.data)).toEqual(before);
    o.zeroGrad();
    expect(p.grad).toBeNull();
  });

  it('goes on when a buffer shrank and grew again', () => {
    const buffer = resizable(64, 128);
    const p = { data: new Float32Array(buffer, 0, 16), grad: new Float32Array(16).fill(1) };
    const o = new SGD([p], { lr: 1 });
    o.step();
    resize(buffer, 8);
    expectError(() => o.step(), 'ERR_DETACHED', 'shrunk');
    resize(buffer, 128);
    o.step();
    expect([p.data[0], p.data[15]]).toEqual([-2, -1]); // growing gave zeros behind byte 8
  });

  it('follows arrays that change between steps, as tensor libraries make them', () => {
    const [a, b] = [parameter(20), parameter(20)];
    const [o, same] = [new Adam([a]), new Adam([b])];
    for (let t = 0; t < 5; t++) {
      b.data = b.data.slice();
      b.grad = b.grad!.slice();
      o.step();
      same.step();
    }
    expect(bits(a.data)).toEqual(bits(b.data));
    expect(same.state.get(b)!.step).toBe(5);
  });

  it('reads data and grad once a step', () => {
    const reads = { data: 0, grad: 0 };
    const arrays = { data: Float32Array.of(1), grad: Float32Array.of(1) };
    const p = {
      get data() {
        reads.data += 1;
        return arrays.data;
      },
      get grad() {
        reads.grad += 1;
        return arrays.grad;
      },
    };
    const o = new SGD([p]);
    expect(reads).toEqual({ data: 1, grad: 0 });
    o.step();
    expect(reads).toEqual({ data: 2, grad: 1 });
  });

  it('refuses calls on the optimizer from a getter', () => {
    const calls: (() => void)[] = [];
    const p = {
      data: Float32Array.of(1),
      get grad() {
        for (const call of calls) call();
        return Float32Array.of(1);
      },
    };
    const o = new SGD([p]);
    for (const call of [
      () => o.step(),
      () => o.dispose(),
      () => o.addParamGroup({ params: parameter() }),
    ]) {
      calls[0] = call;
      expectError(() => o.step(), 'ERR_BUSY', 'inside a step of the same optimizer');
    }
    calls[0] = () => Object.assign(o.paramGroups[0]!, { momentum: 0.9 });
    o.step();
    expect(o.state.get(p)!.momentumBuffer[0]).toBe(1);
  });

  it('keeps what is registered alive', () => {
    const o = new Adam(Array.from({ length: 50 }, () => parameter(5000)));
    o.step();
    for (let i = 0; i < 50; i++) new Float32Array(100_000).fill(i); // garbage
    for (const p of o.paramGroups[0]!.params) {
      expect(p.data[4999]).toBeCloseTo(4999.999, 2);
    }
    o.step();
  });

  it('aligns state to cache lines, or as its data is, in memory that nobody can detach', () => {
    const { residue } = activeBackend();
    const past = ({ buffer, byteOffset }: Float32Array<ArrayBufferLike>) =>
      residue(new Uint8Array(buffer, byteOffset)) % 64;
    for (const skip of [0, 1, 5, 13]) {
      const [short, long, large] = [255, 256, 40_000].map((length) => {
        const one = new Parameter(new Float32Array(length + skip).subarray(skip));
        one.ensureGrad().fill(1);
        return one;
      }) as [Parameter, Parameter, Parameter];
      const o = new Adam([parameter(3), parameter(17), short, long, large]);
      o.step();
      for (const [{ data }, { expAvg, expAvgSq }] of o.state) {
        expect(expAvg.buffer).toBeInstanceOf(SharedArrayBuffer);
        const expected = data === long.data || data === large.data ? past(data) : 0;
        expect([past(expAvg), past(expAvgSq)]).toEqual([expected, expected]);
      }
    }
  });

  it('begins large arrays of one step at different places of a page', () => {
    const { residue } = activeBackend();
    const arena = new ParameterArena([[1 << 20]]);
    const o = new Adam(arena.parameters, { amsgrad: true });
    o.step();
    const { expAvg, expAvgSq, maxExpAvgSq } = o.state.get(arena.parameters[0]!)!;
    const arrays = [arena.data, arena.grad, expAvg, expAvgSq, maxExpAvgSq!];
    const places = arrays.map((a) => residue(new Uint8Array(a.buffer, a.byteOffset)));
    if (backend() === 'native') expect(new Set(places).size).toBe(arrays.length);
  });

  it('says so when state does not fit into memory', () => {
    const original = globalThis.SharedArrayBuffer;
    const spaces = vi.spyOn(Space, 'growing').mockReturnValue(undefined);
    const o = new Adam([parameter()]);
    const huge = parameter(1 << 20);
    try {
      globalThis.SharedArrayBuffer = class {
        constructor() {
          throw new RangeError('Array buffer allocation failed');
        }
      } as never;
      expectError(() => o.addParamGroup({ params: huge }), 'ERR_OUT_OF_MEMORY', 'MiB');
    } finally {
      spaces.mockRestore();
      globalThis.SharedArrayBuffer = original;
    }
    expect(o.paramGroups).toHaveLength(1);
    o.addParamGroup({ params: huge });
    o.step();
  });
});
