/** Parameters come and go while the arrays of others have moved, or are gone with an old heap. */

import { describe, expect, it } from 'vitest';
import { Adam } from '../../lib/index.ts';
import { onEachBackend } from '../support/helpers.ts';

/** What is used of it: types for Node.js do not have it. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Memory: new (options: object) => { readonly buffer: ArrayBuffer; grow(pages: number): void };
  };
};

type Loose = { data: Float32Array<ArrayBufferLike>; grad: Float32Array | null };

onEachBackend(() => {
  /** Three parameters in the heap of a module, which has grown: their views are gone. */
  function grown() {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
    const view = (i: number) => new Float32Array(memory.buffer, 64 * i, 4);
    const params = [0, 1, 2].map(
      (i): Loose => ({ data: view(i), grad: new Float32Array(4).fill(1) }),
    );
    const optimizer = new Adam(params, { lr: 1 });
    optimizer.step();
    memory.grow(1);
    return { params: params as [Loose, Loose, Loose], view, optimizer };
  }

  describe('when a heap has grown', () => {
    type Case = [string, (of: ReturnType<typeof grown>) => unknown, number[]];
    const fresh = (): Loose => ({ data: new Float32Array(4), grad: new Float32Array(4).fill(1) });
    const cases: Case[] = [
      [
        'removeParameters',
        ({ optimizer, params }) => optimizer.removeParameters(params[1]),
        [0, 2],
      ],
      [
        'replaceParameter',
        ({ optimizer, params }) => optimizer.replaceParameter(params[1], fresh()),
        [0, 2],
      ],
      ['addParamGroup', ({ optimizer }) => optimizer.addParamGroup({ params: fresh() }), [0, 1, 2]],
      [
        'addParameters',
        ({ optimizer }) => optimizer.addParameters(optimizer.paramGroups[0]!, fresh()),
        [0, 1, 2],
      ],
      ['resetState', ({ optimizer, params }) => optimizer.resetState(params[1]), [0, 1, 2]],
    ];
    it.each(cases)('%s does not mind, and steps go on with new views', (_, call, left) => {
      const all = grown();
      call(all);
      for (const i of left) all.params[i]!.data = all.view(i);
      all.optimizer.step();
      for (const i of left) expect(all.params[i]!.data[0]).toBeLessThan(-1.5);
    });
  });

  describe('the place that a parameter has left', () => {
    type Come = (optimizer: Adam, other: Loose, newcomer: Loose) => unknown;
    const ways: [string, Come][] = [
      ['addParamGroup', (optimizer, _, newcomer) => optimizer.addParamGroup({ params: newcomer })],
      [
        'addParameters',
        (optimizer, _, newcomer) => optimizer.addParameters(optimizer.paramGroups[0]!, newcomer),
      ],
      [
        'replaceParameter',
        (optimizer, other, newcomer) => optimizer.replaceParameter(other, newcomer),
      ],
    ];
    it.each(ways)('is free for who comes by %s', (_, come) => {
      const [a, b] = [0, 1].map(
        (): Loose => ({ data: new Float32Array(100), grad: new Float32Array(100).fill(1) }),
      ) as [Loose, Loose];
      const optimizer = new Adam([a, b], { lr: 1 });
      optimizer.step();
      const place = a.data;
      a.data = a.data.slice();
      const newcomer = { data: place, grad: new Float32Array(100).fill(1) };
      come(optimizer, b, newcomer);
      optimizer.step();
      expect([a.data[0], newcomer.data[0]].map((x) => Math.round(x!))).toEqual([-2, -2]);
    });
  });
});
