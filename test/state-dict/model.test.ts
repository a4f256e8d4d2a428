/** A model's values as plain data, and back. */

import { describe, expect, it } from 'vitest';
import {
  Adam,
  loadModelStateDict,
  type ModelStateDict,
  modelStateDict,
  Parameter,
  ParameterArena,
} from '../../lib/index.ts';
import { expectError, onEachBackend, parameter } from '../support/helpers.ts';

onEachBackend(() => {
  const arena = () => new ParameterArena({ w: [2, 3], b: [3] });
  const pairs = () => [
    ['w', Parameter.zeros([2, 3])] as const,
    ['b', Parameter.zeros([3])] as const,
  ];

  describe('a model', () => {
    it.each([
      ['an arena', arena],
      ['pairs', pairs],
      ['a Map', () => new Map(pairs())],
      ['parameters with names', () => [...arena().parameters]],
      ['structural parameters', () => [{ name: 'w', data: new Float32Array(6), shape: [2, 3] }]],
    ])('may be %s', (_what, make) => {
      const source = arena();
      for (const { data } of source.parameters) data.set(data.map((_, i) => i + 1));
      const model = make();
      const report = loadModelStateDict(model, modelStateDict(source), { strict: false });
      expect([report.missing, report.mismatched]).toEqual([[], []]);
      const saved = modelStateDict(model);
      expect(saved.w).toEqual({ data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] });
      if (saved.b) expect(saved.b).toEqual({ data: Float32Array.of(1, 2, 3), shape: [3] });
    });

    it('gives copies, or views', () => {
      const model = arena();
      const [copy, view] = [modelStateDict(model), modelStateDict(model, { copy: false })];
      model.parameters[0]!.data.fill(7);
      expect([copy.w!.data[0], view.w!.data[0]]).toEqual([0, 7]);
      expect(view.w!.data).toBe(model.parameters[0]!.data);
    });

    it('changes whole or not at all', () => {
      const model = arena();
      const dict = (change: object): ModelStateDict =>
        ({ w: { data: new Float32Array(6).fill(1), shape: [2, 3] }, ...change }) as ModelStateDict;
      const b = { data: Float32Array.of(1, 2, 3), shape: [3] };
      for (const [change, text] of [
        [{}, "Missing in the state dict: 'b'"],
        [{ b, c: b }, "Unexpected in the state dict: 'c'"],
        [{ b: { ...b, data: new Float32Array(4), shape: [4] } }, 'shape [3], as'],
        [{ b: { ...b, shape: [4] } }, "the shape of 'b' to be that of 3 values"],
        [{ b: { ...b, data: [1, 2, 3] } }, '{ data: Float32Array, shape }'],
        [{ b: null }, '{ data: Float32Array, shape }'],
        [{ b, w: { data: new Float32Array(6), shape: [3, 2] } }, 'shape [2, 3], as'],
      ] as const) {
        expectError(() => loadModelStateDict(model, dict(change)), 'ERR_STATE_DICT', text);
        expect([...model.data].every((value) => value === 0)).toBe(true);
      }
      expect(
        loadModelStateDict(model, dict({ b: { data: new Float32Array(4) }, x: b }), {
          strict: false,
        }),
      ).toEqual({
        missing: [],
        unexpected: ["'x'"],
        mismatched: [expect.stringContaining("parameter 'b' of the state dict")],
      });
      expect(model.parameters[0]!.data[5]).toBe(1);
    });

    it('needs names, and different ones', () => {
      const twice = [parameter(1, 'a'), parameter(1, 'a')];
      expectError(() => modelStateDict(twice), 'ERR_NAMES', "'a' twice at index 1");
      expectError(() => modelStateDict([parameter()]), 'ERR_NAMES', 'none at index 0');
      expectError(() => modelStateDict(3 as never), 'ERR_INVALID_PARAMETER', 'received 3');
      const dict = null as never;
      expectError(() => loadModelStateDict([], dict), 'ERR_STATE_DICT', 'received null');
    });

    it('may be loaded from its own views, in another order', () => {
      const model = new ParameterArena({ a: [2], b: [2] });
      model.parameters[0]!.data.set([1, 2]);
      model.parameters[1]!.data.set([3, 4]);
      const { a, b } = modelStateDict(model, { copy: false });
      loadModelStateDict(model, { a: b!, b: a! });
      expect(model.parameters.map(({ data }) => [...data])).toEqual([
        [3, 4],
        [1, 2],
      ]);
      const memory = Float32Array.of(1, 2, 3);
      const [p, q] = [memory.subarray(0, 2), memory.subarray(1, 3)];
      loadModelStateDict([['p', new Parameter(q)]], { p: { data: p, shape: [2] } });
      expect([...memory]).toEqual([1, 1, 2]);
    });
  });
});

it('is refused while an asynchronous step is working on it', async () => {
  const model = new ParameterArena({ w: [100_000] });
  const optimizer = new Adam([...model.parameters]);
  const [dict, state] = [modelStateDict(model), optimizer.stateDict()];
  const step = optimizer.stepAsync();
  await Promise.resolve();
  expectError(() => loadModelStateDict(model, dict), 'ERR_BUSY', 'await it first');
  expectError(() => optimizer.stateDict(), 'ERR_BUSY', 'stateDict was called while');
  expectError(() => optimizer.loadStateDict(state), 'ERR_BUSY', 'loadStateDict was called while');
  await step;
  loadModelStateDict(model, dict);
  optimizer.loadStateDict(state);
});
