/** noDecay: the rules of timm and of Hugging Face. */

import { describe, expect, it } from 'vitest';
import { AdamW, noDecay, Parameter, type ParameterLike } from '../../lib/index.ts';
import { expectError } from '../support/helpers.ts';
import { network, shown } from './networks.ts';

describe('noDecay', () => {
  const shapeless = (name: string): [string, ParameterLike] => [
    name,
    { data: new Float32Array(2) },
  ];

  it('spares biases and norms, and keeps the order', () => {
    const groups = noDecay(network('a.bias', 'a.weight', 'norm.weight', 'b.weight', 'b.bias'));
    expect(shown(groups)).toEqual([
      { names: ['a.weight', 'b.weight'], name: 'decay' },
      { names: ['a.bias', 'norm.weight', 'b.bias'], name: 'no decay', weightDecay: 0 },
    ]);
    const optimizer = new AdamW(groups, { weightDecay: 0.5 });
    expect(optimizer.paramGroups.map(({ weightDecay }) => weightDecay)).toEqual([0.5, 0]);
  });

  const table: [name: string, shape: number[], timm: boolean, huggingface: boolean][] = [
    ['fc.weight', [2, 2], false, false],
    ['fc.bias', [2], true, true],
    ['bn1.weight', [2], true, false],
    ['scale', [], true, false],
    ['odd.bias', [2, 2], true, true],
    ['bias', [2, 2], false, true],
    ['rel_pos_bias.table', [2, 2], false, true],
    ['encoder.LayerNorm.weight', [2, 2], false, true],
    ['layers.0.input_layernorm.weight', [2, 2], false, true],
    ['RMSNorm.weight', [2, 2], false, true],
    ['norm.weight', [2, 2], false, true],
    ['blocks.0.norm', [2, 2], false, true],
    ['q_norm.weight', [2, 2], false, true],
    ['norm1.weight', [2, 2], false, false],
    ['normal.weight', [2, 2], false, false],
    ['subnorm.weight', [2, 2], false, false],
  ];

  it.each(table)('%s %j: timm %s, Hugging Face %s', (name, shape, timm, huggingface) => {
    const input = [[name, Parameter.zeros(shape)]] as const;
    const spared = (rule: 'timm' | 'huggingface' | 'both') =>
      noDecay(input, { rule })[0]!.name === 'no decay';
    expect(spared('timm')).toBe(timm);
    expect(spared('huggingface')).toBe(huggingface);
    expect(spared('both')).toBe(timm || huggingface);
  });

  it('goes by the name alone where there is no shape', () => {
    const groups = noDecay([shapeless('w'), shapeless('a.bias')]);
    expect(shown(groups).map(({ names }) => names)).toEqual([['w'], ['a.bias']]);
  });

  it('spares more on demand', () => {
    const net = network('embed.weight', 'a.weight', 'a.bias');
    const groups = noDecay(net, { also: 'embed.*' });
    expect(shown(groups)[1]!.names).toEqual(['embed.weight', 'a.bias']);
    expectError(
      () => noDecay(net, { also: 'embd.*' }),
      'ERR_NO_MATCH',
      "'embd.*' matches no parameter",
    );
    expectError(
      () => noDecay(net, { also: 3 as never }),
      'ERR_INVALID_ARGUMENT',
      'also of noDecay()',
    );
    expectError(() => noDecay(net, { rule: 'hf' as never }), 'ERR_INVALID_OPTION', "'timm'");
    expect(noDecay([], { also: 'x' })).toEqual([]);
  });
});
