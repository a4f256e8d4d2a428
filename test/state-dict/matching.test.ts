/** Which parameter of a state dict goes where, and what is said when it goes nowhere. */

import { describe, expect, it } from 'vitest';
import { Adam, AdamW, type OptimizerStateDict, Parameter, SGD } from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

const named = (names: string, length = 3) =>
  [...names].map((name) => [name, parameter(length)] as [string, Parameter]);

/** Adam over these groups after a step with gradients that tell parameters apart. */
function stepped(groups: readonly object[], options: object = {}): Adam {
  const optimizer = new Adam(groups as [], options);
  for (const group of optimizer.paramGroups) {
    for (const [i, p] of group.params.entries()) {
      p.grad!.fill((group.paramNames?.[i] ?? 'x').charCodeAt(0) + i);
    }
  }
  optimizer.step();
  return optimizer;
}

/** First values of expAvg by name. */
function expAvgs(optimizer: Adam): Record<string, number | undefined> {
  const entries = optimizer.paramGroups.flatMap(({ params, paramNames }) =>
    params.map((p, i) => [paramNames?.[i] ?? i, optimizer.state.get(p)?.expAvg[0]]),
  );
  return Object.fromEntries(entries) as Record<string, number | undefined>;
}

onEachBackend(() => {
  describe('names on both sides', () => {
    it('match whatever the order', () => {
      const saved = stepped([{ params: named('abc') }]);
      const other = new Adam([{ params: named('cab') }]);
      other.loadStateDict(saved.stateDict());
      expect(expAvgs(other)).toEqual(expAvgs(saved));
    });

    it('may be the own names of parameters', () => {
      const make = (names: string) => [...names].map((name) => parameter(3, name));
      const saved = new Adam(make('ab'));
      saved.paramGroups[0]!.params[0]!.grad = null;
      saved.step();
      const other = new Adam(make('ba'));
      other.loadStateDict(saved.stateDict());
      expect([...other.state.keys()].map(({ name }) => name)).toEqual(['b']);
    });

    it('match groups by name too', () => {
      const saved = stepped([
        { params: named('a'), name: 'one', lr: 0.5 },
        { params: named('b'), name: 'two', lr: 0.25 },
      ]);
      const other = new Adam([
        { params: named('b'), name: 'two' },
        { params: named('a'), name: 'one' },
      ]);
      other.loadStateDict(saved.stateDict());
      expect(other.paramGroups.map(({ lr }) => lr)).toEqual([0.25, 0.5]);
      expect(expAvgs(other)).toEqual(expAvgs(saved));
    });

    it('tell which are missing and which are unexpected', () => {
      const dict = stepped([{ params: named('abc') }]).stateDict();
      const other = stepped([{ params: named('bcd') }]);
      const before = expAvgs(other);
      expectError(
        () => other.loadStateDict(dict),
        'ERR_STATE_DICT',
        "Missing in the state dict: 'd' (group 0). Unexpected in the state dict: 'a' (group 0)",
      );
      expect(expAvgs(other)).toEqual(before);
      const report = other.loadStateDict(dict, { strict: false });
      expect(report).toEqual({
        missing: ["'d' (group 0)"],
        unexpected: ["'a' (group 0)"],
        mismatched: [],
      });
      expect(expAvgs(other)).toEqual({
        b: expect.closeTo(9.9),
        c: expect.closeTo(10.1),
        d: before.d,
      });
    });

    it('must be in the same groups, unless options stay', () => {
      const dict = stepped([{ params: named('ab') }, { params: named('c') }]).stateDict();
      const other = () => new Adam([{ params: named('a') }, { params: named('bc') }], { lr: 7 });
      expectError(
        () => other().loadStateDict(dict),
        'ERR_STATE_DICT',
        "Expected parameter 'b' (group 1) in the same group of the state dict but it is in group 0",
      );
      const kept = other();
      kept.loadStateDict(dict, { options: 'keep' });
      expect(kept.state.size).toBe(3);
      expect(kept.paramGroups[0]!.lr).toBe(7);
    });
  });

  describe('order', () => {
    it('counts when one side has no names', () => {
      const saved = stepped([{ params: named('ab') }]);
      const other = new Adam([parameter(), parameter()]);
      other.loadStateDict(saved.stateDict());
      expect(Object.values(expAvgs(other))).toEqual(Object.values(expAvgs(saved)));
    });

    it('counts when a name stands twice', () => {
      const twice = () => [parameter(3, 'w'), parameter(3, 'w')];
      const other = new Adam(twice());
      other.loadStateDict(stepped([{ params: twice() }]).stateDict());
      expect(other.state.size).toBe(2);
    });

    it("needs the same number of groups, as torch's error says", () => {
      const dict = stepped([{ params: [parameter()] }, { params: [parameter()] }]).stateDict();
      expectError(
        () => new Adam([parameter()]).loadStateDict(dict),
        'ERR_STATE_DICT',
        'loaded state dict has a different number of parameter groups. Expected 1, of 1 ' +
          'parameters, but received 2, of 1, 1',
      );
    });

    it("needs groups of the same size, as torch's error says, and tells what differs", () => {
      const dict = stepped([{ params: [parameter(3), parameter(4)], name: 'head' }]).stateDict();
      expectError(
        () => new Adam([{ params: [parameter(3)], name: 'head' }]).loadStateDict(dict),
        'ERR_STATE_DICT',
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's " +
          'group. Expected 1 parameters but received 2; the first that differ: none here, ' +
          "at index 1 (group 0) of shape [4] in the state dict (group 'head')",
      );
    });

    it('loads what is on both sides when it need not be strict', () => {
      const dict = stepped([{ params: [parameter(3), parameter(4)] }, { params: parameter(5) }]);
      const other = new Adam([parameter(3)]);
      expect(other.loadStateDict(dict.stateDict(), { strict: false })).toEqual({
        missing: [],
        unexpected: ['at index 1 (group 0)', 'at index 0 (group 1)'],
        mismatched: [],
      });
      expect(other.state.size).toBe(1);
    });
  });

  describe('sizes and shapes', () => {
    const shaped = (...shape: number[]) =>
      Parameter.zeros(shape, { name: 'w', grad: new Float32Array(6).fill(1) });

    it.each([
      [shaped(2, 3), shaped(3, 2), 'shape [3, 2], as', 'received shape [2, 3]'],
      [shaped(6), shaped(2, 3), 'shape [2, 3], as', 'received shape [6]'],
      [shaped(6), parameter(7, 'w'), 'shape [7], as', 'received shape [6]'],
      [shaped(6), { name: 'w', data: new Float32Array(7) }, '7 values, as', 'received 6 values'],
    ])('have to be the same: %s, %s', (saved, live, expected, received) => {
      const dict = stepped([{ params: [saved] }]).stateDict();
      const other = new Adam([live]);
      for (const text of [expected, received, "'w' (group 0)"]) {
        expectError(() => other.loadStateDict(dict), 'ERR_STATE_DICT', text);
      }
      const { mismatched } = other.loadStateDict(dict, { strict: false });
      expect(mismatched).toHaveLength(1);
      expect(mismatched[0]).toContain(expected);
      expect(other.state.size).toBe(0);
    });

    it('are compared by size alone where a side has no shape', () => {
      const dict = stepped([{ params: [shaped(2, 3)] }]).stateDict();
      const other = new Adam([{ name: 'w', data: new Float32Array(6) }]);
      other.loadStateDict(dict);
      expect(other.state.size).toBe(1);
    });
  });

  describe('hyperparameters', () => {
    it("are loaded, or kept with options: 'keep'", () => {
      const saved = new Adam([{ params: parameter(), frozen: true }], {
        lr: 0.5,
        betas: [0.5, 0.25],
        maxGradNorm: 3,
        normType: Number.POSITIVE_INFINITY,
      });
      saved.override(saved.paramGroups[0]!.params[0]!, { eps: 1 });
      const dict = JSON.parse(JSON.stringify(saved.stateDict())) as OptimizerStateDict;
      for (const options of ['load', 'keep'] as const) {
        const p = parameter();
        const other = new Adam([{ params: p }], { lr: 2 });
        other.override(p, { lr: 3 });
        other.loadStateDict(dict, { options });
        const { lr, betas, frozen } = other.paramGroups[0]!;
        const { maxGradNorm, normType, clipValue } = other.stepOptions;
        const loads = options === 'load';
        expect([lr, betas, frozen ?? false]).toEqual(
          loads ? [0.5, [0.5, 0.25], true] : [2, [0.9, 0.999], false],
        );
        expect([maxGradNorm, normType, clipValue]).toEqual(
          loads ? [3, Infinity, Infinity] : [null, 2, Infinity],
        );
        expect(other.overrideOf(p)).toEqual(loads ? { eps: 1 } : { lr: 3 });
      }
    });

    it('that an older dict does not have are the defaults of today', () => {
      const dict = structuredClone(stepped([{ params: named('a') }]).stateDict());
      const { amsgrad, maximize, ...older } = dict.paramGroups[0]! as Record<string, unknown>;
      const other = new Adam([{ params: named('a') }], { maximize: true, lr: 3 });
      other.loadStateDict({ state: dict.state, paramGroups: [older as never] });
      expect(other.paramGroups[0]).toMatchObject({ amsgrad, maximize: false, lr: 1e-3 });
    });

    it('call for state that the dict does not have', () => {
      const dict = stepped([{ params: named('a') }]).stateDict();
      const other = new Adam([{ params: named('a') }], { amsgrad: true });
      other.loadStateDict(dict, { options: 'keep' });
      const [p] = other.paramGroups[0]!.params;
      expect([...other.state.get(p!)!.maxExpAvgSq!]).toEqual([0, 0, 0]);
      other.step();
      other.loadStateDict(dict);
      expect(Object.keys(other.state.get(p!)!)).toEqual(['step', 'expAvg', 'expAvgSq']);
      other.paramGroups[0]!.amsgrad = true;
      expect([...other.state.get(p!)!.maxExpAvgSq!]).toEqual([0, 0, 0]);
      other.step();
    });

    it('that there are not here are refused, or told of', () => {
      const dict = stepped([{ params: named('a') }]).stateDict();
      const sgd = () => new SGD([{ params: named('a') }], { momentum: 0.9 });
      expectError(() => sgd().loadStateDict(dict), 'ERR_STATE_DICT', 'of SGD but received that of');
      const { type, ...unknown } = dict;
      expect(type).toBe('Adam');
      expectError(() => sgd().loadStateDict(unknown), 'ERR_UNKNOWN_OPTION', "'betas'");
      const report = sgd().loadStateDict(dict, { strict: false });
      expect(report.unexpected).toContain('option betas (group 0 of the state dict)');
      expect(report.mismatched[0]).toContain("but received 'expAvg'");
    });

    it('of Adam and its state fit AdamW when it need not be strict', () => {
      const saved = stepped([{ params: named('ab') }], { lr: 0.5 });
      const other = new AdamW([{ params: named('ab') }]);
      const report = other.loadStateDict(saved.stateDict(), { strict: false });
      expect(report).toEqual({ missing: [], unexpected: [], mismatched: [] });
      expect(other.state.size).toBe(2);
      expect(other.paramGroups[0]!.lr).toBe(0.5);
    });
  });

  describe('what is handed over', () => {
    it('is a copy, or with copy: false views of what is live', () => {
      const optimizer = stepped([{ params: named('a') }]);
      const [p] = optimizer.paramGroups[0]!.params;
      const { expAvg } = optimizer.state.get(p!)!;
      const [copy, view] = [optimizer.stateDict(), optimizer.stateDict({ copy: false })];
      expect(view.state[0]!.expAvg).toBe(expAvg);
      expect(copy.state[0]!.expAvg).not.toBe(expAvg);
      expect(bits(copy.state[0]!.expAvg as Float32Array)).toEqual(bits(expAvg));
      optimizer.step();
      expect(copy.state[0]).toMatchObject({ step: 1 });
      expect(bits(copy.state[0]!.expAvg as Float32Array)).not.toEqual(bits(expAvg));
    });

    it('is copied on loading too, into the arrays that are there', () => {
      const saved = stepped([{ params: named('a') }]);
      const dict = saved.stateDict();
      const other = stepped([{ params: named('a') }]);
      const { expAvg } = other.state.get(other.paramGroups[0]!.params[0]!)!;
      other.loadStateDict(dict);
      (dict.state[0]!.expAvg as Float32Array).fill(0);
      expect(bits(expAvg)).toEqual(bits(saved.stateDict().state[0]!.expAvg as Float32Array));
    });

    it("may be views of the optimizer's own state, in another order", () => {
      const optimizer = stepped([{ params: named('ab') }]);
      const { a, b } = expAvgs(optimizer);
      const views = optimizer.stateDict({ copy: false });
      optimizer.loadStateDict({ ...views, state: { 0: views.state[1]!, 1: views.state[0]! } });
      expect(expAvgs(optimizer)).toEqual({ a: b, b: a });
      const { expAvg } = optimizer.state.get(optimizer.paramGroups[0]!.params[0]!)!;
      const all = new Float32Array(expAvg.buffer);
      const at = expAvg.byteOffset / 4;
      all.set([1, 2, 3, 4], at);
      const shifted = { ...views.state[0]!, expAvg: all.subarray(at + 1, at + 4) };
      optimizer.loadStateDict({ ...views, state: { 0: shifted, 1: views.state[1]! } });
      expect([...expAvg]).toEqual([2, 3, 4]);
    });
  });
});
