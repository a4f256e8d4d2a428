/** The walk through `torch.optim`'s `param_groups`, in TypeScript. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Adam, AdamW, Parameter, SGD } from '../../lib/index.ts';
import {
  bits,
  expectError,
  forEachOptimizer,
  onEachBackend,
  parameter,
} from '../support/helpers.ts';

onEachBackend(() => {
  describe('a look into param_groups', () => {
    it('is a list of group objects with torch’s keys and defaults', () => {
      const w1 = parameter();
      const o = new Adam([w1]);
      expect(Array.isArray(o.paramGroups)).toBe(true);
      expect(o.paramGroups).toHaveLength(1);
      const [group] = o.paramGroups;
      expect(Object.keys(group!)).toEqual([
        'params',
        'lr',
        'betas',
        'eps',
        'weightDecay',
        'amsgrad',
        'maximize',
      ]);
      expect(group!.params.length).toBe(1);
      expect(group!.params[0]).toBe(w1);
      expect(group!.lr === 0.001).toBe(true);
      expect(group!.betas).toEqual([0.9, 0.999]);
      expect(group!.eps === 1e-8).toBe(true);
      expect([group!.weightDecay, group!.amsgrad, group!.maximize]).toEqual([0, false, false]);
    });

    it('prints readably', () => {
      const w = new Parameter([0.5, -1.25, 3, 4], { shape: [2, 2], name: 'fc.weight' });
      const o = new Adam([w], { lr: 0.25 });
      const groups = inspect(o.paramGroups);
      expect(groups).toContain("Parameter 'fc.weight' [2, 2] [0.5, -1.25, 3, …]");
      expect(groups).toContain('lr: 0.25');
      expect(groups).toContain('betas: [ 0.9, 0.999 ]');
      expect(groups).not.toMatch(/Getter|Object/);
      expect(inspect(o)).toBe(
        [
          'Adam (',
          'Parameter Group 0',
          '    amsgrad: false',
          '    betas: [0.9, 0.999]',
          '    eps: 1e-8',
          '    lr: 0.25',
          '    maximize: false',
          '    weightDecay: 0',
          ')',
        ].join('\n'),
      );
      expect(String(o)).toBe(inspect(o));
      expect(String(new Adam([]))).toBe('Adam ()');
    });

    it('spreads and clones to plain values', () => {
      const o = new Adam([parameter()], { betas: [0.5, 0.75] });
      const { params, ...options } = { ...o.paramGroups[0]! };
      expect(params).toHaveLength(1);
      expect(structuredClone(options)).toEqual({
        lr: 0.001,
        betas: [0.5, 0.75],
        eps: 1e-8,
        weightDecay: 0,
        amsgrad: false,
        maximize: false,
      });
      expect(JSON.parse(JSON.stringify(o.paramGroups))).toEqual([
        { params: [{ shape: [3], length: 3 }], ...options },
      ]);
    });
  });

  describe('addParamGroup', () => {
    const w2 = () => parameter(2, 'w2');
    const w3 = () => parameter(4, 'w3');

    it('takes one parameter, a list, a generator, a Set, a Map, entries or pairs', () => {
      function* generate() {
        yield w2();
        yield w3();
      }
      const o = new Adam([]);
      for (const params of [w2(), [w2(), w3()], generate(), new Set([w2(), w3()])]) {
        o.addParamGroup({ params });
      }
      expect(o.paramGroups.map((group) => group.params.length)).toEqual([1, 2, 2, 2]);
      expect(Object.keys(o.paramGroups[3]!)).not.toContain('paramNames');

      const named = new Adam([]);
      const record = { weight: w2(), bias: w3() };
      const pairs: [string, Parameter][] = [['weight', w2()]];
      for (const params of [new Map(Object.entries(record)), pairs, ['w', w2()] as const]) {
        named.addParamGroup({ params });
      }
      named.addParamGroup({ params: Object.entries({ last: w3() }) });
      expect(named.paramGroups.map((group) => group.paramNames)).toEqual([
        ['weight', 'bias'],
        ['weight'],
        ['w'],
        ['last'],
      ]);
    });

    it('takes what a group leaves out from the defaults, and only reads the object', () => {
      const o = new AdamW([parameter()], { lr: 0.5, betas: [0.1, 0.2] });
      const group = Object.freeze({ params: w2(), weightDecay: 0 });
      o.addParamGroup(group);
      expect({ ...o.paramGroups[1]!, params: 0 }).toEqual({
        params: 0,
        lr: 0.5,
        betas: [0.1, 0.2],
        eps: 1e-8,
        weightDecay: 0,
        amsgrad: false,
        maximize: false,
      });
      expect(Object.keys(group)).toEqual(['params', 'weightDecay']);
      o.defaults.lr = 0.25;
      o.addParamGroup({ params: w3() });
      expect(o.paramGroups.map(({ lr }) => lr)).toEqual([0.5, 0.5, 0.25]);
    });

    it('takes a live group of another optimizer, names and all', () => {
      const params = Object.entries({ a: parameter(), b: parameter(2) });
      const first = new SGD([{ params, lr: 0.5, name: 'head', meta: { layer: 3 } }]);
      const second = new SGD([{ ...first.paramGroups[0]! }]);
      expect({ ...second.paramGroups[0]! }).toEqual({ ...first.paramGroups[0]! });
    });

    it('steps a group that was added in mid-run', () => {
      const [a, b] = [parameter(), w2()];
      const o = new SGD([a], { lr: 1 });
      o.step();
      o.addParamGroup({ params: b, lr: 10 });
      o.step();
      expect([...a.data]).toEqual([0.8, 1.6, 2.4].map((x) => expect.closeTo(x, 5)));
      expect([...b.data]).toEqual([0, 0].map((x) => expect.closeTo(x, 5)));
    });
  });

  describe('changing options on the fly', () => {
    it('sets the learning rate of every group for the next step', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new SGD([{ params: a }, { params: b, lr: 3 }], { lr: 1 });
      for (const lr of [0.5, 0.25]) {
        for (const group of o.paramGroups) group.lr = lr;
        const before = a.data[0]!;
        o.step();
        expect(a.data[0]).toBeCloseTo(before - lr * 0.1, 6);
        expect(bits(a.data)).toEqual(bits(b.data));
      }
    });
  });

  describe('different rates for parts of a network', () => {
    const part = (...lengths: number[]) => ({
      layers: lengths.map((n) => parameter(n)),
      *parameters() {
        yield* this.layers;
      },
    });

    it('steps each group at its own rate', () => {
      const net = { features: part(5, 2), classifier: part(7, 3) };
      const o = new SGD(
        [{ params: net.features.parameters() }, { params: net.classifier.parameters(), lr: 1e-2 }],
        { lr: 1e-5 },
      );
      expect(o.paramGroups.map(({ lr }) => lr)).toEqual([1e-5, 1e-2]);
      o.step();
      expect(net.features.layers[0]!.data[4]).toBe(Math.fround(5 - 1e-5 * Math.fround(0.5)));
      expect(net.classifier.layers[0]!.data[4]).toBe(Math.fround(5 - 1e-2 * Math.fround(0.5)));
    });

    it('groups special layers by identity', () => {
      const net = part(2, 3, 4, 5);
      const special = new Set([net.layers[0], net.layers[3]]);
      const base = net.layers.filter((p) => !special.has(p));
      const o = new SGD([{ params: base }, { params: special as Set<Parameter>, lr: 0.01 }], {
        lr: 0.001,
      });
      expect(o.paramGroups[0]!.params).toEqual([net.layers[1], net.layers[2]]);
      expect(o.paramGroups[1]!.params).toEqual([net.layers[0], net.layers[3]]);
      expectError(
        () => o.addParamGroup({ params: net.layers[3]! }),
        'ERR_DUPLICATE_PARAMETER',
        'some parameters appear in more than one parameter group',
      );
    });
  });

  it('may start empty', () => {
    const o = new Adam([]);
    expect(o.paramGroups).toEqual([]);
    o.step();
    o.zeroGrad();
    o.addParamGroup({ params: [] });
    o.addParamGroup({ params: parameter() });
    o.step();
    expect(o.state.size).toBe(1);
  });

  it('takes ten thousand groups, one per small model, each at its own rate', () => {
    const models = Array.from({ length: 10_000 }, () => [parameter(4), parameter(1)]);
    const o = new SGD(models.map((params, i) => ({ params, lr: i })));
    for (const group of o.paramGroups) group.lr /= 2;
    o.step();
    models.forEach(([w], i) => {
      expect(w!.data[0]).toBe(Math.fround(1 - (i / 2) * Math.fround(0.1)));
    });
  });

  it('refuses silent mistakes on groups and lists', () => {
    const o = new Adam([parameter()]);
    const group = o.paramGroups[0] as unknown as Record<string, unknown>;
    const set = (key: string, value: unknown) => () => {
      group[key] = value;
    };
    expectError(set('weight_decay', 1), 'ERR_UNKNOWN_OPTION', 'did you mean weightDecay?');
    expectError(set('Lr', 1), 'ERR_UNKNOWN_OPTION', 'did you mean lr?');
    expectError(set('params', []), 'ERR_READ_ONLY', 'params cannot be replaced: use replaceP');
    expect(() => Object.assign(o.paramGroups[0]!.betas, [0, 0])).toThrow(TypeError);
    expect(() => (group.params as unknown[]).push(1)).toThrow(TypeError);
    const groups = o.paramGroups as unknown[];
    expectError(() => groups.push(1), 'ERR_READ_ONLY', 'addParamGroup()');
    expectError(() => groups.splice(0, 1), 'ERR_READ_ONLY', 'paramGroups');
    expectError(() => Object.assign(groups, { length: 0 }), 'ERR_READ_ONLY', 'paramGroups');
    expect(Object.keys(group)).toHaveLength(7);
    expect(o.paramGroups).toHaveLength(1);
  });

  it('keeps name and meta, and no other key', () => {
    const o = new SGD([{ params: parameter(), name: 'head' }]);
    const group = o.paramGroups[0]!;
    expect(Object.keys(group)).toContain('name');
    expect(Object.keys(group)).not.toContain('meta');
    group.meta = { depth: [1, 2] };
    group.name = 'tail';
    expect({ ...group }).toMatchObject({ name: 'tail', meta: { depth: [1, 2] } });
    expect(String(o)).toContain("Parameter Group 0 ('tail')");
    expectError(() => Object.assign(group, { lr: -1 }), 'ERR_INVALID_OPTION', "(group 'tail')");
    expectError(
      () => new SGD([{ params: parameter(), name: 5 as unknown as string }]),
      'ERR_INVALID_GROUP',
      'Expected name of a group to be a string but received 5',
    );
  });
});

forEachOptimizer((row) => {
  it('has torch’s options in torch’s order', () => {
    const o = row.make([parameter()]);
    const { params, ...options } = { ...o.paramGroups[0]! };
    expect(Object.keys(o.paramGroups[0]!)).toEqual(['params', ...Object.keys(row.defaults)]);
    expect(options).toEqual(row.defaults);
    expect({ ...o.defaults }).toEqual(row.defaults);
    expect(Object.keys(o.defaults)).toEqual(Object.keys(row.defaults));
  });

  it('steps an option set on the group as one given to the constructor', () => {
    for (const [key, value] of Object.entries(row.other)) {
      const [a, b, c] = [parameter(), parameter(), parameter()];
      const given = row.make([a], { ...row.withState, [key]: value });
      const grouped = row.make([{ params: b, ...row.withState, [key]: value }]);
      const assigned = row.make([c], row.withState);
      Object.assign(assigned.paramGroups[0]!, { [key]: value });
      for (const o of [given, grouped, assigned]) for (let t = 0; t < 3; t++) o.step();
      expect(bits(b.data), key).toEqual(bits(a.data));
      expect(bits(c.data), key).toEqual(bits(a.data));
    }
  });

  it('steps a group that was added in mid-run as an optimizer of its own would', () => {
    const [w, late, alone] = [parameter(), parameter(5), parameter(5)];
    const [o, own] = [row.make([w]), row.make([alone], row.other)];
    for (let t = 0; t < 3; t++) o.step();
    o.addParamGroup({ params: late, ...row.other } as never);
    for (let t = 0; t < 3; t++) {
      o.step();
      own.step();
      expect(bits(late.data)).toEqual(bits(alone.data));
      expect(o.state.get(late)).toEqual(own.state.get(alone));
    }
  });
});
