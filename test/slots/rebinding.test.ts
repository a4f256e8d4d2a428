/** New arrays of many parameters: a refused one leaves none behind that a later step would use. */

import { describe, expect, it } from 'vitest';
import { Adam, Parameter, SGD } from '../../lib/index.ts';
import { expectError, onEachBackend } from '../support/helpers.ts';

onEachBackend(() => {
  describe.each([2, 128, 129, 300])('of %i new gradients', (count) => {
    it.each([0, 1, count - 1])('a wrong one at %i, and none of them later', (wrong) => {
      const params = Array.from({ length: count }, () => new Parameter([1, 2]));
      const optimizer = new SGD(params, { lr: 1 });
      for (const [i, p] of params.entries()) {
        Object.assign(p, { grad: new Float32Array(i === wrong ? 3 : 2).fill(1) });
      }
      expectError(() => optimizer.step(), 'ERR_INVALID_GRADIENT', `index ${wrong} `);
      for (const p of params) p.grad = null;
      optimizer.step();
      expect(params.every(({ data }) => data[0] === 1 && data[1] === 2)).toBe(true);
      for (const p of params) p.grad = new Float32Array(2).fill(1);
      optimizer.step();
      expect(params.every(({ data }) => data[0] === 0 && data[1] === 1)).toBe(true);
    });

    it('the same for data, which stays what it was', () => {
      const params = Array.from({ length: count }, () => ({
        data: new Float32Array(2),
        grad: new Float32Array(2).fill(1),
      }));
      const before = params.map(({ data }) => data);
      const optimizer = new SGD(params, { lr: 1 });
      for (const [i, p] of params.entries()) p.data = new Float32Array(i === count - 1 ? 3 : 2);
      expectError(() => optimizer.step(), 'ERR_INVALID_PARAMETER', `index ${count - 1} `);
      for (const [i, p] of params.entries()) p.data = before[i]!;
      optimizer.step();
      expect(before.every((data) => data[0] === -1)).toBe(true);
    });
  });

  it('an empty one before a wrong one, as random programs found', () => {
    const empty = { data: new Float32Array(0), grad: new Float32Array(0) as Float32Array | null };
    const other = { data: new Float32Array(16), grad: new Float32Array(5) as Float32Array | null };
    const optimizer = new Adam([empty, other]);
    expectError(() => optimizer.step(), 'ERR_INVALID_GRADIENT', 'index 1');
    optimizer.zeroGrad();
    optimizer.step();
    expect(optimizer.state.get(empty)).toBeUndefined();
  });
});
