/** What happens in the middle of a run: steps that skip a parameter, options that change. */

import { expect, it } from 'vitest';
import type { Parameter } from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { bits, forEachOptimizer, parameter } from '../support/helpers.ts';
import type { OptimizerCase } from './optimizer-cases.ts';

type Built = ReturnType<OptimizerCase['make']>;

/** Makes steps, each with gradients of its own number. */
function steps(optimizer: Built, params: readonly Parameter[], numbers: readonly number[]): void {
  for (const number of numbers) {
    for (const p of params) fill(p.ensureGrad(), 'normal', 7, number, 0);
    optimizer.step();
  }
}

/** The bits of data and state. */
const snapshot = (optimizer: Built, p: Parameter) =>
  Object.entries({ data: p.data, ...(optimizer.state.get(p) as object) }).map(([name, part]) => [
    name,
    part instanceof Float32Array ? bits(part) : part,
  ]);

forEachOptimizer((row) => {
  it.each([
    ['defaults', {}],
    ['every state', row.withState],
    ['other options', row.other],
  ])('is for a parameter without a gradient as if a step had not been: %s', (_, options) => {
    const [w, other, alone] = [parameter(19), parameter(5), parameter(19)];
    const [o, own] = [row.make([w, other], options), row.make([alone], options)];
    steps(o, [w, other], [1, 2]);
    w.grad = null;
    const before = snapshot(o, w);
    steps(o, [other], [3, 4, 5]);
    expect(snapshot(o, w)).toEqual(before);
    steps(o, [w, other], [6, 7]);
    steps(own, [alone], [1, 2, 6, 7]);
    expect(snapshot(o, w)).toEqual(snapshot(own, alone));
  });

  it('lets a parameter begin late as if alone', () => {
    const [w, late, alone] = [parameter(3), parameter(19), parameter(19)];
    const [o, own] = [row.make([w, late], row.other), row.make([alone], row.other)];
    late.grad = null;
    steps(o, [w], [1, 2, 3]);
    steps(o, [w, late], [4, 5]);
    steps(own, [alone], [4, 5]);
    expect(snapshot(o, late)).toEqual(snapshot(own, alone));
  });

  it.each(Object.keys(row.other))('sees %s from the next step on', (key) => {
    const [w, same] = [parameter(19), parameter(19)];
    const { [key]: value } = row.other;
    const { [key]: set, ...rest } = row.withState as Record<string, unknown>;
    const options = set === value ? rest : row.withState;
    const [o, unchanged] = [row.make([w], options), row.make([same], options)];
    steps(o, [w], [1, 2, 3]);
    steps(unchanged, [same], [1, 2, 3]);
    Object.assign(o.paramGroups[0]!, { [key]: value });
    expect(bits(w.data)).toEqual(bits(same.data));
    steps(o, [w], [4, 5, 6, 7, 8]);
    steps(unchanged, [same], [4, 5, 6, 7, 8]);
    const after = snapshot(o, w);
    if (row.onlyAtFirst?.includes(key)) expect(after).toEqual(snapshot(unchanged, same));
    else expect(after).not.toEqual(snapshot(unchanged, same));
  });

  it('keeps no trace of options that are set and set back between two steps', () => {
    const [w, same] = [parameter(19), parameter(19)];
    const [o, unchanged] = [row.make([w], row.withState), row.make([same], row.withState)];
    steps(o, [w], [1, 2]);
    const { params, ...before } = { ...o.paramGroups[0]! };
    Object.assign(o.paramGroups[0]!, row.other);
    Object.assign(o.paramGroups[0]!, before);
    steps(o, [w], [3, 4]);
    steps(unchanged, [same], [1, 2, 3, 4]);
    expect(params).toEqual([w]);
    expect(bits(w.data)).toEqual(bits(same.data));
  });
});
