/** layerDecay: the layers of networks, their learning rates, and all helpers together. */

import { describe, expect, it } from 'vitest';
import { layersOf } from '../../lib/grouping/layers.ts';
import { AdamW, groupBy, layerDecay, noDecay } from '../../lib/index.ts';
import { expectError } from '../support/helpers.ts';
import { lenet, shown, vit } from './networks.ts';

describe('the layers of a network', () => {
  const found = (names: readonly string[]) => {
    const layers = layersOf(names);
    return names.map((name) => layers.get(name));
  };

  it('are BEiT’s for a vision transformer', () => {
    const names = vit(12).map(([name]) => name);
    // get_num_layer_for_vit(name, 14), said anew.
    const expected = names.map((name) => {
      if (/^(cls_token|mask_token|pos_embed|patch_embed)/.test(name)) return 0;
      return name.startsWith('blocks') ? Number(name.split('.')[1]) + 1 : 13;
    });
    expect(found(names)).toEqual(expected);
  });

  it.each([
    ['a LeNet', lenet().map(([name]) => name), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]],
    [
      'a ResNet',
      [
        'conv1.weight',
        'bn1.weight',
        'layer1.0.conv1.weight',
        'layer1.0.bn1.bias',
        'layer1.1.conv1.weight',
        'layer2.0.downsample.1.weight',
        'fc.weight',
      ],
      [0, 0, 1, 1, 2, 3, 4],
    ],
    ['no numbers', ['conv1.weight', 'conv1.bias', 'fc.weight', 'scale'], [0, 0, 1, 2]],
    [
      'two towers',
      ['encoder.0.w', 'encoder.1.w', 'bridge.w', 'decoder.0.w', 'decoder.1.w', 'out.w'],
      [0, 1, 2, 3, 4, 5],
    ],
    ['a bare sequence', ['0.weight', '0.bias', '2.weight'], [0, 0, 1]],
    ['nothing', [], []],
  ])('%s', (_what, names, expected) => {
    expect(found(names)).toEqual(expected);
  });
});

describe('layerDecay', () => {
  it('lowers lr from the output to the input', () => {
    const groups = layerDecay(lenet(), 0.5, { lr: 0.8 });
    expect(groups.map(({ name, lr }) => [name, lr])).toEqual([
      ['layer 0', 0.05],
      ['layer 1', 0.1],
      ['layer 2', 0.2],
      ['layer 3', 0.4],
      ['layer 4', 0.8],
    ]);
    expect(shown(groups)[1]!.names).toEqual(['features.3.weight', 'features.3.bias']);
    expect(new AdamW(groups).paramGroups.map(({ lr }) => lr)).toEqual([0.05, 0.1, 0.2, 0.4, 0.8]);
  });

  it('gives timm’s scales to a vision transformer', () => {
    const groups = layerDecay(vit(12), 0.75, { lr: 1 });
    expect(groups).toHaveLength(14);
    for (const [i, { lr }] of groups.entries()) expect(lr).toBeCloseTo(0.75 ** (13 - i), 15);
    const least = layerDecay(vit(12), 0.75, { lr: 1, minScale: 0.1 });
    expect(least.map(({ lr }) => lr! >= 0.1).every(Boolean)).toBe(true);
    expect(least[0]!.lr).toBe(0.1);
  });

  it('takes layers from a function', () => {
    const layerOf = (name: string) => (name.startsWith('features') ? 0 : 2);
    const groups = layerDecay(lenet(), 0.5, { lr: 1, layerOf });
    expect(groups.map(({ name, lr }) => [name, lr])).toEqual([
      ['layer 0', 0.25],
      ['layer 2', 1],
    ]);
    for (const wrong of [-1, 0.5, '1', undefined]) {
      const bad = { lr: 1, layerOf: () => wrong as number };
      expectError(
        () => layerDecay(lenet(), 0.5, bad),
        'ERR_INVALID_OPTION',
        "layerOf('features.0.weight')",
      );
    }
  });

  it('counts frozen layers or, if asked, only those where something moves', () => {
    const net = lenet(); // five layers of two
    for (const i of [2, 3, 4, 8, 9]) net[i]![1].frozen = true;
    const lrs = (options: object) =>
      layerDecay(net, 0.5, { lr: 0.8, ...options }).map(({ lr }) => lr);
    expect(lrs({})).toEqual([0.05, 0.1, 0.2, 0.4, 0.8]);
    expect(lrs({ skipFrozen: true })).toEqual([0.2, 0.2, 0.4, 0.8, 0.8]);
    const groups = [
      { params: net.slice(0, 8), name: 'body' },
      { params: net.slice(8), name: 'head', frozen: true },
    ];
    for (const [, parameter] of net) parameter.frozen = false;
    const layerOf = (name: string) => (name.startsWith('classifier.4') ? 3 : 1);
    const skipping = { lr: 1, layerOf, skipFrozen: true };
    expect(layerDecay(groups, 0.5, skipping).map(({ lr }) => lr)).toEqual([0.5, 1]);
    expectError(
      () => layerDecay(net, 0.5, { lr: 1, skipFrozen: 1 as never }),
      'ERR_INVALID_OPTION',
      'skipFrozen of layerDecay() to be a boolean',
    );
  });

  it('composes with the others', () => {
    const inside = noDecay(layerDecay(lenet(), 0.5, { lr: 1 }));
    expect(shown(inside).slice(0, 2)).toEqual([
      { names: ['features.0.weight'], name: 'layer 0, decay', lr: 0.0625 },
      { names: ['features.0.bias'], name: 'layer 0, no decay', lr: 0.0625, weightDecay: 0 },
    ]);
    expect(new AdamW(inside, { weightDecay: 0.1 }).paramGroups).toHaveLength(10);
    const layers = layersOf(lenet().map(([name]) => name));
    const layerOf = (name: string) => layers.get(name)!;
    const outside = layerDecay(noDecay(lenet()), 0.5, { lr: 1, layerOf });
    expect(shown(outside)[5]).toEqual({
      names: ['features.0.bias'],
      name: 'no decay, layer 0',
      weightDecay: 0,
      lr: 0.0625,
    });
    const head = groupBy(layerDecay(lenet(), 0.5, { lr: 1 }), [{ match: 'classifier.4.*', lr: 3 }]);
    expect(head.map(({ lr }) => lr)).toEqual([0.0625, 0.125, 0.25, 0.5, 3]);
    expectError(
      () => layerDecay(noDecay(lenet()), 0.5, { lr: 1 }),
      'ERR_INVALID_ARGUMENT',
      'layerOf',
    );
  });

  it('starts from a group’s own lr', () => {
    const groups = layerDecay([{ params: lenet(), lr: 16, name: 'net' }], 0.5);
    expect(groups.map(({ lr }) => lr)).toEqual([1, 2, 4, 8, 16]);
    expect(groups[0]!.name).toBe('net, layer 0');
  });

  it.each([
    [0, { lr: 1 }, 'decay of layerDecay() to be a finite number > 0 and <= 1'],
    [1.5, { lr: 1 }, 'received 1.5'],
    ['0.5', { lr: 1 }, "received '0.5'"],
    [0.5, {}, 'Expected lr of layerDecay() to be a finite number >= 0 but received undefined'],
    [0.5, { lr: -1 }, 'Invalid learning rate. Expected lr of layerDecay()'],
    [0.5, { lr: 1, minScale: 2 }, 'minScale of layerDecay()'],
    [0.5, { lr: 1, layerOf: 3 }, 'layerOf of layerDecay() to be a function'],
  ])('refuses %j, %j', (decay, options, message) => {
    expectError(
      () => layerDecay(lenet(), decay as number, options as object),
      'ERR_INVALID_OPTION',
      message,
    );
  });

  it('names the option that was meant', () => {
    const options = { lr: 1, layersOf: () => 0 } as never;
    expectError(() => layerDecay(lenet(), 0.5, options), 'ERR_UNKNOWN_OPTION', 'mean layerOf?');
  });
});
