/** A whole model in two flat buffers: layout, gradients that come and go, one span, threads. */

import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../lib/backend/load-addon.ts';
import {
  Adam,
  type ArenaDescription,
  Parameter,
  ParameterArena,
  SGD,
  setBackend,
} from '../../lib/index.ts';
import {
  bits,
  expectError,
  forEachOptimizer,
  onEachBackend,
  parameter,
} from '../support/helpers.ts';

const shapes = { 'conv.weight': [3, 2, 3], 'conv.bias': [3], empty: [0], 'fc.weight': [5, 7] };

/** Fills values and gradients of parameters alike, whatever they are. */
function fill(params: readonly Parameter[]): void {
  params.forEach((p, k) => {
    for (let i = 0; i < p.length; i++) {
      p.data[i] = Math.sin(i + 10 * k);
      p.ensureGrad()[i] = Math.cos(i * 3 + k);
    }
  });
}

/** As many parameters of the same lengths, each in memory of its own. */
const separate = (arena: ParameterArena) =>
  arena.parameters.map(({ length, shape }) => new Parameter(new Float32Array(length), { shape }));

onEachBackend(() => {
  describe('layout', () => {
    it('cuts named shapes out of two flat shared buffers, on cache lines', () => {
      const arena = new ParameterArena(shapes);
      expect(arena.parameters.map(({ name }) => name)).toEqual(Object.keys(shapes));
      expect(arena.parameters.map(({ shape }) => shape)).toEqual(Object.values(shapes));
      expect(arena.data).toHaveLength(32 + 16 + 0 + 48);
      expect(arena.grad).toHaveLength(arena.data.length);
      for (const { data, grad } of arena.parameters) {
        expect(data.buffer).toBe(arena.data.buffer);
        expect(grad!.buffer).toBe(arena.grad.buffer);
        expect(data.byteOffset - arena.data.byteOffset).toBe(
          grad!.byteOffset - arena.grad.byteOffset,
        );
        expect((data.byteOffset - arena.data.byteOffset) % 64).toBe(0);
      }
      expect(arena.data.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(arena.data.buffer).not.toBe(arena.grad.buffer);
    });

    it('takes shapes alone, pairs, or a Map', () => {
      expect(new ParameterArena([[2, 3], [4]]).parameters.map(({ length }) => length)).toEqual([
        6, 4,
      ]);
      const named = new ParameterArena(new Map(Object.entries(shapes)));
      expect(named.namedParameters()).toEqual(named.parameters.map((p) => [p.name, p]));
      expect(new ParameterArena([]).parameters).toEqual([]);
      expect(new ParameterArena([[2]]).namedParameters()[0]![0]).toBe('0');
    });

    it('refuses what is no shape', () => {
      for (const wrong of [5, null, [[-1]], { w: 3 }, [['w', [1.5]]], 'w']) {
        expectError(() => new ParameterArena(wrong as never), 'ERR_INVALID_PARAMETER', 'shape');
      }
    });
  });

  it('keeps its arrays: data stays, grad is the view or null', () => {
    const arena = new ParameterArena(shapes);
    const [p] = arena.parameters;
    const message = "of parameter 'conv.weight' lies in an arena and stays there";
    const set = (field: object) => () => Object.assign(p!, field);
    expectError(set({ data: new Float32Array(18) }), 'ERR_READ_ONLY', `data ${message}`);
    expectError(set({ grad: new Float32Array(18) }), 'ERR_READ_ONLY', `grad ${message}`);
    const { grad } = p!;
    p!.grad = null;
    expect(p!.grad).toBeNull();
    grad!.fill(7);
    expect(p!.ensureGrad()).toBe(grad);
    expect(bits(grad!)).toEqual(bits(new Float32Array(18)));
    p!.grad = grad;
    arena.grad.fill(3);
    p!.grad = undefined as never;
    expect(arena.ensureGrad()).toBe(arena.grad);
    expect([grad![0], arena.parameters[1]!.grad![0]]).toEqual([0, 3]);
  });

  it('steps with gradients that come and go as separate parameters do', () => {
    const arena = new ParameterArena(shapes);
    const others = separate(arena);
    const [o, same] = [new Adam(arena.parameters), new Adam(others)];
    for (let t = 0; t < 12; t++) {
      for (const optimizer of [o, same]) optimizer.zeroGrad({ setToNone: t % 3 === 0 });
      fill(arena.parameters);
      fill(others);
      if (t % 2) for (const list of [arena.parameters, others]) list[t % 4]!.grad = null;
      for (const optimizer of [o, same]) optimizer.step();
      expect(arena.parameters.map((p) => bits(p.data))).toEqual(others.map((p) => bits(p.data)));
      expect(arena.parameters.map((p) => o.state.get(p)?.step)).toEqual(
        others.map((p) => same.state.get(p)?.step),
      );
    }
  });

  it('may be mixed with ordinary parameters, and split over groups', () => {
    const arena = new ParameterArena(shapes);
    const [a, b] = [parameter(), parameter()];
    fill(arena.parameters);
    const [p0, p1, p2, p3] = arena.parameters;
    const o = new SGD([{ params: [a, p0!, p1!, b] }, { params: [p3!, p2!], lr: 1 }], { lr: 0.5 });
    const before = arena.data.slice();
    o.step();
    const at = (array: Float32Array<ArrayBufferLike>, i: number) => array[i]!;
    expect(at(p0!.data, 5)).toBeCloseTo(at(before, 5) - 0.5 * at(p0!.grad!, 5), 6);
    expect(at(p3!.data, 34)).toBeCloseTo(at(before, 48 + 34) - at(p3!.grad!, 34), 6);
    expect([a.data[0], b.data[0]]).toEqual([Math.fround(1 - 0.05), Math.fround(1 - 0.05)]);
    b.grad = b.grad!.slice(); // an ordinary one may move, the arena's not
    o.step();
    structuredClone(a.data.buffer, { transfer: [a.data.buffer as ArrayBuffer] });
    expectError(() => o.step(), 'ERR_DETACHED', 'data of parameter at index 0 (group 0)');
  });

  describe('other threads', () => {
    it('open the same memory from a plain description', () => {
      const arena = new ParameterArena(shapes);
      const opened = ParameterArena.open(structuredClone(arena.describe()));
      expect(opened.parameters.map(({ name, shape }) => [name, shape])).toEqual(
        arena.parameters.map(({ name, shape }) => [name, shape]),
      );
      opened.parameters[3]!.data[34] = 42;
      opened.grad[0] = 7;
      expect([arena.data[48 + 34], arena.parameters[0]!.grad![0]]).toEqual([42, 7]);
    });

    it('refuses what is no description', () => {
      const { data, grad } = new ParameterArena([[2]]).describe();
      const tooLarge = { parameters: [{ name: 'w', shape: [99] }], data, grad };
      const noMemory = { parameters: [{ name: 'w', shape: [2] }], data: { buffer: {} }, grad };
      const none = [null, {}, { parameters: [] }, { parameters: 5, data, grad }];
      for (const wrong of [...none, tooLarge, noMemory]) {
        expectError(
          () => ParameterArena.open(wrong as unknown as ArenaDescription),
          'ERR_INVALID_ARGUMENT',
          'arena.describe()',
        );
      }
    });

    it('take shards that cover everything once, cut at cache lines', () => {
      const arena = new ParameterArena({ a: [1000], b: [3], c: [77] });
      for (const count of [1, 2, 3, 7, 200]) {
        const shards = Array.from({ length: count }, (_, i) => arena.shard(i, count));
        let next = arena.data.byteOffset;
        for (const { data, grad } of shards) {
          expect(data.byteOffset).toBe(data.length > 0 ? next : data.byteOffset);
          expect(grad).toHaveLength(data.length);
          expect(data.length % 16).toBe(0);
          next += data.byteLength;
        }
        expect(next).toBe(arena.data.byteOffset + arena.data.byteLength);
      }
      for (const [i, n] of [
        [2, 2],
        [-1, 2],
        [0.5, 2],
        [0, 0],
        ['0', 2],
      ]) {
        expectError(() => arena.shard(i as number, n as number), 'ERR_INVALID_ARGUMENT', 'of');
      }
    });
  });
});

forEachOptimizer((row) => {
  if (row.whole) {
    it('refuses shards, for it looks at whole parameters', () => {
      const arena = new ParameterArena(shapes);
      for (const part of [arena, arena.shard(0, 3)]) {
        const make = () => row.make([part], row.withState);
        expectError(make, 'ERR_INVALID_PARAMETER', 'an arena or a shard of one: parameter');
      }
    });
  }

  it(`gives an arena the bits of separate parameters, whole${row.whole ? '' : ' or in shards'}`, () => {
    const [arena, sharded] = [new ParameterArena(shapes), new ParameterArena(shapes)];
    const others = separate(arena);
    for (const params of [arena.parameters, sharded.parameters, others]) fill(params);
    const optimizers = [
      row.make(arena.parameters, row.withState),
      row.make(others, row.withState),
      ...(row.whole ? [sharded.parameters] : [0, 1, 2].map((i) => [sharded.shard(i, 3)])).map(
        (params) => row.make(params, row.withState),
      ),
    ];
    for (let t = 0; t < 5; t++) for (const o of optimizers) o.step();
    const expected = others.map((p) => bits(p.data));
    expect(arena.parameters.map((p) => bits(p.data))).toEqual(expected);
    expect(sharded.parameters.map((p) => bits(p.data))).toEqual(expected);
    const flat = arena.parameters.find((p) => p.shape.length === 1 && p.length > 0)!;
    expect(Object.keys(optimizers[0]!.state.get(flat)!)).toEqual(row.stateKeys);
  });
});

it('is one span for the kernels', () => {
  const addon = loadAddon();
  const spansOf = (params: readonly Parameter[]) => {
    let handle = {};
    const { open } = addon;
    addon.open = (...args) => {
      handle = open(...args);
      return handle;
    };
    const o = new Adam(params);
    addon.open = open;
    return () => {
      o.step();
      return addon.debugSpans(handle);
    };
  };
  const arena = new ParameterArena(Array.from({ length: 100 }, (_, i) => [i + 1]));
  const step = spansOf(arena.parameters);
  expect(step()).toBe(1);
  arena.parameters[50]!.grad = null;
  expect(step()).toBe(2);
  arena.parameters[50]!.ensureGrad();
  expect(step()).toBe(3); // parameter 50 has its own step count from now on
  const others = separate(arena);
  fill(others);
  expect(spansOf(others)()).toBe(100);
});

it('keeps the padding zero, and the whole buffer alike on all backends', () => {
  const flat = (['native', 'wasm', 'portable'] as const).flatMap((name) => {
    setBackend(name);
    return [{}, { eps: 0 }, { weightDecay: 0.1 }, { eps: 1e-45, amsgrad: true }].map((options) => {
      const arena = new ParameterArena({ a: [3], b: [20], c: [16], d: [1] });
      fill(arena.parameters);
      const o = new Adam(arena.parameters, options);
      for (let t = 0; t < 5; t++) o.step();
      expect([...arena.data.subarray(3, 16), ...arena.data.subarray(36, 48)]).toEqual(
        new Array(25).fill(0),
      );
      return bits(arena.data);
    });
  });
  setBackend('native');
  expect(flat.slice(4, 8)).toEqual(flat.slice(0, 4));
  expect(flat.slice(8)).toEqual(flat.slice(0, 4));
});

it('begins on a cache line, data and gradients and state', () => {
  const addon = loadAddon();
  for (let i = 1; i < 20; i++) {
    const arena = new ParameterArena([[i * 1000]]);
    const o = new Adam(arena.parameters);
    o.step();
    const { expAvg, expAvgSq } = o.state.get(arena.parameters[0]!)!;
    for (const { buffer, byteOffset } of [arena.data, arena.grad, expAvg, expAvgSq]) {
      expect(addon.residue(new Uint8Array(buffer, byteOffset)) % 64).toBe(0);
    }
  }
});
