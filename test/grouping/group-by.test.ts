/** groupBy: which parameters end in which group, with which options. */

import { describe, expect, it } from 'vitest';
import {
  AdamW,
  groupBy,
  type NamedInput,
  type ParameterLike,
  Rprop,
  SGD,
} from '../../lib/index.ts';
import { expectError } from '../support/helpers.ts';
import { network, shown } from './networks.ts';

describe('groupBy', () => {
  const net = network('conv.weight', 'conv.bias', 'norm.weight', 'head.weight', 'head.bias');

  it('gives each parameter to the first rule that matches, the rest to the defaults', () => {
    const groups = groupBy(net, [
      { match: 'head.**', lr: 0.1, name: 'head', meta: { new: true } },
      { match: ['**.bias', /^norm/g], weightDecay: 0 },
    ]);
    expect(shown(groups)).toEqual([
      { names: ['head.weight', 'head.bias'], name: 'head', lr: 0.1, meta: { new: true } },
      { names: ['conv.bias', 'norm.weight'], weightDecay: 0 },
      { names: ['conv.weight'] },
    ]);
    expect(groups[0]!.params[0]![1]).toBe(net[3]![1]);
    const optimizer = new AdamW(groups, { lr: 0.01, weightDecay: 0.5 });
    expect(optimizer.paramGroups.map(({ lr, weightDecay }) => [lr, weightDecay])).toEqual([
      [0.1, 0.5],
      [0.01, 0],
      [0.01, 0.5],
    ]);
    expect(optimizer.paramGroups.map(({ paramNames }) => paramNames)).toEqual([
      ['head.weight', 'head.bias'],
      ['conv.bias', 'norm.weight'],
      ['conv.weight'],
    ]);
    expect(optimizer.paramGroups[0]).toMatchObject({ name: 'head', meta: { new: true } });
  });

  it('asks functions, once per parameter', () => {
    const asked: [string, ParameterLike][] = [];
    const groups = groupBy(net, [
      {
        match: (name, parameter) => {
          asked.push([name, parameter]);
          return parameter.shape!.length === 1;
        },
        lr: 1,
      },
    ]);
    expect(shown(groups).map(({ names }) => names.length)).toEqual([3, 2]);
    expect(asked).toEqual(net);
  });

  it('keeps the place of no RegExp, and leaves it as it was', () => {
    const match = /weight/g;
    match.lastIndex = 5;
    expect(groupBy(net, [{ match }])[0]!.params.length).toBe(3);
    expect(match.lastIndex).toBe(5);
  });

  it('takes a Map, pairs, a generator, an arena’s names, groups', () => {
    const rules = [{ match: 'head.*', lr: 1 }];
    const expected = shown(groupBy(net, rules));
    function* generate() {
      yield* net;
    }
    const groups = [{ params: net.map(([, p]) => p), paramNames: net.map(([name]) => name) }];
    const inputs: NamedInput[] = [
      new Map(net),
      new Set(net),
      generate(),
      Object.entries(Object.fromEntries(net)),
      groups,
    ];
    for (const input of inputs) expect(shown(groupBy(input, rules))).toEqual(expected);
    expect(groupBy([], rules)).toEqual([]);
  });

  it('divides groups, whose options stay where a rule does not set them', () => {
    const first = groupBy(net, [{ match: 'head.**', name: 'head', lr: 1, weightDecay: 2 }]);
    const second = groupBy(first, [
      { match: '**.bias', name: 'bias', weightDecay: 0, lr: undefined as never },
    ]);
    expect(shown(second)).toEqual([
      { names: ['head.bias'], name: 'head, bias', lr: 1, weightDecay: 0 },
      { names: ['head.weight'], name: 'head', lr: 1, weightDecay: 2 },
      { names: ['conv.bias'], name: 'bias', weightDecay: 0 },
      { names: ['conv.weight', 'norm.weight'] },
    ]);
  });

  it('refuses a rule that gets nothing', () => {
    const message =
      "'haed.**' matches no parameter (rule 1 of groupBy()). The names are 'conv.weight', " +
      "'conv.bias', 'norm.weight' and 2 more";
    const rules = [{ match: '**.bias' }, { match: 'haed.**', lr: 1 }];
    expectError(() => groupBy(net, rules), 'ERR_NO_MATCH', message);
    expect(groupBy(net, rules, { allowUnmatched: true })).toHaveLength(2);
    const hidden = [{ match: '**' }, { match: /bias/, lr: 1 }];
    expectError(
      () => groupBy(net, hidden),
      'ERR_NO_MATCH',
      'Earlier rules have every parameter that /bias/ matches (rule 1',
    );
  });

  it.each([
    [[{ match: 'a.{b' }], 'ERR_INVALID_ARGUMENT', "Bad pattern 'a.{b'"],
    [
      [{ match: 3 }],
      'ERR_INVALID_ARGUMENT',
      'Expected match of rule 0 of groupBy() to be a pattern',
    ],
    [[{ match: [] }], 'ERR_INVALID_ARGUMENT', 'received []'],
    [[{ lr: 1 }], 'ERR_INVALID_ARGUMENT', 'an object with match and options'],
    [[null], 'ERR_INVALID_ARGUMENT', 'received null (rule 0'],
    [[{ match: '**', params: [] }], 'ERR_INVALID_ARGUMENT', 'without params'],
    [[{ match: '**', name: 3 }], 'ERR_INVALID_GROUP', '(rule 0 of groupBy())'],
    [
      [{ match: async () => true }],
      'ERR_INVALID_ARGUMENT',
      "return true or false for 'conv.weight'",
    ],
    ['**', 'ERR_INVALID_ARGUMENT', 'Expected rules of groupBy() to be an array'],
  ])('refuses %j', (rules, code, message) => {
    expectError(() => groupBy(net, rules as never), code, message);
  });

  it('refuses parameters without names, and what is none', () => {
    const params = net.map(([, parameter]) => parameter);
    expectError(() => groupBy(params as never, []), 'ERR_NAMES', 'with names');
    expectError(() => groupBy([...net, params[0]] as never, []), 'ERR_NAMES', 'missing');
    expectError(() => groupBy([...net, net[0]!], []), 'ERR_NAMES', 'twice');
    expectError(() => groupBy([['w', 3]] as never, []), 'ERR_INVALID_PARAMETER', "'w'");
    const module = { namedParameters: () => net };
    expectError(
      () => groupBy(module as never, []),
      'ERR_INVALID_PARAMETER',
      'give its namedParameters()',
    );
    for (const wrong of [null, 'net', params[0], new Float32Array(2)]) {
      expectError(() => groupBy(wrong as never, []), 'ERR_INVALID_PARAMETER', 'groupBy()');
    }
    const options = { allowUnmached: true } as never;
    expectError(() => groupBy(net, [], options), 'ERR_UNKNOWN_OPTION', 'mean allowUnmatched?');
  });

  it('leaves unknown options to the optimizer', () => {
    const groups = groupBy(net, [{ match: '**', momentum: 0.9 }]);
    expect(new SGD(groups).paramGroups[0]!.momentum).toBe(0.9);
    expectError(() => new Rprop(groups), 'ERR_UNKNOWN_OPTION', 'momentum');
  });
});
