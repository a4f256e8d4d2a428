/** Parameters that go, are replaced, or begin anew: every optimizer of the table, bit for bit. */

import { expect, it } from 'vitest';
import { Parameter } from '../../lib/index.ts';
import { bits, forEachOptimizer, parameter } from '../support/helpers.ts';
import { model, snapshot, steps } from './runs.ts';

/** Two groups of two. */
const groupsOf = (params: readonly Parameter[]) => [
  { params: params.slice(0, 2) },
  { params: params.slice(2), name: 'second' },
];

const copyOf = (p: Parameter, length = p.length) =>
  new Parameter(p.data.slice(0, length), { shape: [length] });

forEachOptimizer((row) => {
  it.each([false, true])('steps the others as if one had never been there: arena %s', (arena) => {
    const [params, same] = [model(arena), model(arena)];
    const o = row.make(groupsOf(params), row.other);
    const without = row.make(
      groupsOf(same).map(({ params: list, ...rest }) => ({
        ...rest,
        params: list.filter((p) => p !== same[1]),
      })),
      row.other,
    );
    steps(o, params, [1, 2]);
    const frozen = bits(params[1]!.data);
    o.removeParameters(params[1]!);
    expect(o.state.get(params[1]!)).toBeUndefined();
    steps(o, params, [3, 4]);
    steps(without, [same[0], undefined, same[2], same[3]], [1, 2, 3, 4]);
    for (const i of [0, 2, 3]) expect(snapshot(o, params[i]!)).toEqual(snapshot(without, same[i]!));
    expect(bits(params[1]!.data)).toEqual(frozen);
  });

  it.each([
    ['nothing', {}],
    ['the identity as index', { index: Array.from({ length: 33 }, (_, i) => i) }],
    ['the identity of rows', { index: Int32Array.of(0, 1, 2) }],
  ])('goes on unchanged when another takes its place with %s', (_, options) => {
    const [params, same] = [model(), model()];
    params[2] = new Parameter(params[2]!.data, { shape: [3, 11] });
    same[2] = new Parameter(same[2]!.data, { shape: [3, 11] });
    const [o, unchanged] = [
      row.make(groupsOf(params), row.other),
      row.make(groupsOf(same), row.other),
    ];
    steps(o, params, [1, 2]);
    const next = new Parameter(params[2]!.data.slice(), { shape: [3, 11] });
    const isKept = !row.factored || !('index' in options);
    if (!isKept) expect(() => o.replaceParameter(params[2]!, next, options)).toThrow('by rows');
    o.replaceParameter(params[2]!, next, isKept ? options : {});
    expect(o.paramGroups[1]!.params).toEqual([next, params[3]]);
    params[2] = next;
    steps(o, params, [3, 4]);
    steps(unchanged, same, [1, 2, 3, 4]);
    for (const [i, p] of params.entries()) {
      expect(snapshot(o, p)).toEqual(snapshot(unchanged, same[i]!));
    }
  });

  it('begins anew after resetState, as a new optimizer', () => {
    const params = model();
    const o = row.make(groupsOf(params), row.withState);
    steps(o, params, [1, 2]);
    const before = snapshot(o, params[0]!);
    o.resetState(params.slice(1));
    expect(snapshot(o, params[0]!)).toEqual(before);
    expect([...o.state.keys()].filter((p) => p !== params[0])).toEqual([]);
    o.resetState();
    expect(o.state.size).toBe(0);
    const same = params.map((p) => copyOf(p));
    const fresh = row.make(groupsOf(same), row.withState);
    steps(o, params, [3, 4]);
    steps(fresh, same, [3, 4]);
    for (const [i, p] of params.entries())
      expect(snapshot(o, p)).toEqual(snapshot(fresh, same[i]!));
  });

  it('begins anew in the place of another with state: reset', () => {
    const params = model();
    const o = row.make(groupsOf(params), row.other);
    steps(o, params, [1, 2]);
    const next = parameter(50);
    o.replaceParameter(params[0]!, next, { state: 'reset' });
    expect(o.state.get(next)).toBeUndefined();
    const alone = parameter(50);
    const fresh = row.make([alone], row.other);
    steps(o, [next], [3, 4]);
    steps(fresh, [alone], [3, 4]);
    expect(snapshot(o, next)).toEqual(snapshot(fresh, alone));
  });

  it('prunes and grows by index: every value that stays steps on as before', () => {
    const [p, same] = [parameter(19), parameter(19)];
    const [o, whole] = [row.make([p], row.withState), row.make([same], row.withState)];
    steps(o, [p], [1, 2]);
    steps(whole, [same], [1, 2]);
    const index = [18, 3, 3, -1, 0];
    const next = new Parameter(index.map((at) => (at < 0 ? 7 : p.data[at]!)));
    o.replaceParameter(p, next, { index });
    for (const [name, part] of Object.entries(o.state.get(next) as object)) {
      const before = (whole.state.get(same) as Record<string, unknown>)[name];
      const gathered = index.map((at) => (at < 0 ? 0 : (before as Float32Array)[at]));
      expect(part instanceof Float32Array ? [...part] : part).toEqual(
        part instanceof Float32Array ? gathered : before,
      );
    }
    same.ensureGrad().fill(0.25);
    next.ensureGrad().fill(0.25);
    o.step();
    whole.step();
    for (const [i, at] of index.entries()) {
      if (at >= 0 && !row.whole) expect(next.data[i]).toBe(same.data[at]);
    }
  });
});
