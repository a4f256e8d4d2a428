/** Parameters that join a group which stands. */

import { describe, expect, it } from 'vitest';
import { Adam, EMA, Parameter, ParameterArena, SGD } from '../../lib/index.ts';
import {
  bits,
  expectError,
  forEachOptimizer,
  onEachBackend,
  parameter,
} from '../support/helpers.ts';

/** Values and state of parameters, exactly. */
function look(optimizer: { state: ReadonlyMap<object, unknown> }, params: readonly Parameter[]) {
  return params.map((p) => [bits(p.data), JSON.stringify(optimizer.state.get(p))]);
}

forEachOptimizer(({ make }) => {
  it('steps who joins as if it had begun then, and everybody else as before', () => {
    const run = (joins: boolean) => {
      const [a, b, c, d] = [parameter(3), parameter(300), parameter(5), parameter(1100)];
      const o = make([
        { params: joins ? [a] : [a, b] },
        { params: joins ? [] : [c] },
        { params: d },
      ]);
      for (const p of [b, c]) p.grad = null;
      o.step();
      if (joins) {
        o.addParameters(o.paramGroups[0]!, [b]);
        o.addParameters(o.paramGroups[1]!, c);
      }
      for (const p of [b, c]) p.ensureGrad().fill(0.5);
      for (let i = 0; i < 3; i++) o.step();
      expect(o.paramGroups.map(({ params }) => params)).toEqual([[a, b], [c], [d]]);
      return look(o, [a, b, c, d]);
    };
    expect(run(true)).toEqual(run(false));
  });
});

onEachBackend(() => {
  describe('who joins', () => {
    it('has the options of the group, and follows them', () => {
      const [a, b, c] = [parameter(), parameter(), parameter()];
      const o = new SGD([{ params: a, lr: 1, name: 'first' }, { params: b }], { lr: 0 });
      o.addParameters(o.paramGroups[0]!, [c]);
      o.step();
      expect([a.data[0], b.data[0], c.data[0]].map((x) => x!.toFixed(1))).toEqual([
        '0.9',
        '1.0',
        '0.9',
      ]);
      o.paramGroups[0]!.lr = 0;
      o.paramGroups[0]!.frozen = true;
      const before = bits(c.data);
      o.step();
      expect(bits(c.data)).toEqual(before);
      o.override(c, { lr: 2 });
      expect(o.overrideOf(c)).toEqual({ lr: 2 });
    });

    it('is frozen with its group', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new SGD([{ params: a, frozen: true }], { lr: 1 });
      o.addParameters(o.paramGroups[0]!, b);
      o.step();
      expect([a.data[0], b.data[0]]).toEqual([1, 1]);
    });

    it('has a state dict that is as that of a group which began with it', () => {
      const make = (joins: boolean) => {
        const [a, b, c] = [parameter(3, 'a'), parameter(4, 'b'), parameter(5, 'c')];
        const o = new Adam([{ params: joins ? [] : [a, b] }, { params: [c] }]);
        if (joins) o.addParameters(o.paramGroups[0]!, new Set([a, b]));
        o.step();
        return { o, params: [a, b, c] };
      };
      const [joined, begun] = [make(true), make(false)];
      expect(joined.o.stateDict()).toEqual(begun.o.stateDict());
      joined.o.loadStateDict(begun.o.stateDict());
      for (const { o } of [joined, begun]) o.step();
      expect(look(joined.o, joined.params)).toEqual(look(begun.o, begun.params));
    });

    it('comes and goes among others, whose state stays theirs', () => {
      const o = new Adam([{ params: [] }, { params: [] }, { params: [] }]);
      const alone = new Map<Parameter, { twin: Parameter; o: Adam }>();
      let random = 1;
      const next = (below: number) => {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
        return random % below;
      };
      for (let round = 0; round < 60; round++) {
        const group = o.paramGroups[next(3)]!;
        if (next(3) > 0) {
          const p = parameter(1 + next(40));
          const twin = new Parameter(p.data.slice(), { grad: p.grad!.slice() });
          alone.set(p, { twin, o: new Adam([twin]) });
          o.addParameters(group, [p]);
        } else if (group.params.length > 0) {
          const gone = group.params[next(group.params.length)] as Parameter;
          o.removeParameters(gone);
          alone.delete(gone);
        }
        o.step();
        for (const { o: mine } of alone.values()) mine.step();
      }
      expect(alone.size).toBeGreaterThan(10);
      for (const [p, { twin, o: mine }] of alone) {
        expect(look(o, [p])).toEqual(look(mine, [twin]));
      }
    });

    it('may be of an arena, and is averaged from then on', () => {
      const arena = new ParameterArena([[20], [30]]);
      for (const p of arena.parameters) p.ensureGrad().fill(1);
      const [a, b] = arena.parameters;
      const o = new SGD([{ params: [a!] }, { params: parameter() }], { lr: 1 });
      const ema = new EMA([parameter()], { decay: 0.5 });
      ema.dispose();
      o.addParameters(o.paramGroups[0]!, b!);
      o.step();
      expect([a!.data[0], b!.data[29]]).toEqual([-1, -1]);
    });

    it('may lie where another one lay that has moved', () => {
      const memory = new Float32Array(8);
      const a = { data: memory.subarray(0, 4), grad: new Float32Array(4).fill(1) };
      const o = new SGD([a], { lr: 1 });
      o.step();
      a.data = new Float32Array(4);
      const b = { data: memory.subarray(0, 4), grad: new Float32Array(4).fill(1) };
      o.addParameters(o.paramGroups[0]!, b);
      o.step();
      expect([a.data[0], b.data[0]]).toEqual([-1, -2]);
      b.data = new Float32Array(4);
      o.addParamGroup({ params: { data: memory, grad: null } });
      o.step();
      expect(memory[0]).toBe(-2);
    });
  });

  describe('what is refused', () => {
    it('changes nothing', () => {
      const [a, b] = [parameter(3, 'a'), parameter(3, 'b')];
      const o = new Adam([{ params: [a] }, { params: [b] }]);
      const other = new Adam([parameter()]);
      const [first] = o.paramGroups;
      const cases: [() => void, string, string][] = [
        [
          () => o.addParameters(other.paramGroups[0]!, a),
          'ERR_INVALID_GROUP',
          "optimizer's paramGroups",
        ],
        [() => o.addParameters(0 as never, a), 'ERR_INVALID_GROUP', 'received 0'],
        [() => o.addParameters(first!, a), 'ERR_DUPLICATE_PARAMETER', 'more than one'],
        [() => o.addParameters(first!, [parameter(), b]), 'ERR_DUPLICATE_PARAMETER', "'b'"],
        [() => o.addParameters(first!, 3 as never), 'ERR_INVALID_PARAMETER', 'received 3'],
        [() => o.addParameters(first!, [['c', parameter()]]), 'ERR_NAMES', 'with/without names'],
        [
          () => o.addParameters(first!, [parameter(), { data: b.data, grad: null }]),
          'ERR_OVERLAP',
          'shares memory with data of parameter',
        ],
      ];
      for (const [call, code, text] of cases) expectError(call, code, text);
      expect(o.paramGroups.map(({ params }) => params)).toEqual([[a], [b]]);
      o.step();
      expect(o.state.size).toBe(2);
      o.dispose();
      expectError(() => o.addParameters(first!, parameter()), 'ERR_DISPOSED', 'addParameters');
    });

    it('counts the names that a group has', () => {
      const o = new SGD([{ params: Object.entries({ a: parameter() }) }, { params: [] }]);
      const [named, empty] = o.paramGroups;
      expectError(() => o.addParameters(named!, [['a', parameter()]]), 'ERR_NAMES', "'a' twice");
      expectError(() => o.addParameters(empty!, parameter()), 'ERR_NAMES', 'without names');
      o.addParameters(named!, Object.entries({ b: parameter() }));
      o.addParameters(empty!, Object.entries({ a: parameter() }));
      expect(o.paramGroups.map(({ paramNames }) => paramNames)).toEqual([['a', 'b'], ['a']]);
    });
  });
});
