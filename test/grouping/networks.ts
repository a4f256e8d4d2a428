/** Named parameters of networks, and a look into groups of them. */

import { Parameter } from '../../lib/index.ts';

/** Weights of two dimensions, all else of one. */
export function network(...names: string[]): [string, Parameter][] {
  return names.map((name) => {
    const shape = /weight$/.test(name) && !/norm|bn/i.test(name) ? [2, 3] : [3];
    return [name, Parameter.zeros(shape)];
  });
}

export const lenet = () =>
  network(
    ...['features.0', 'features.3', 'classifier.0', 'classifier.2', 'classifier.4'].flatMap(
      (layer) => [`${layer}.weight`, `${layer}.bias`],
    ),
  );

export const vit = (blocks: number) => {
  const parts = [
    'norm1.weight',
    'norm1.bias',
    'attn.qkv.weight',
    'attn.qkv.bias',
    'mlp.fc1.weight',
  ];
  const all = Array.from({ length: blocks }, (_, i) => parts.map((part) => `blocks.${i}.${part}`));
  return network(
    'cls_token',
    'pos_embed',
    'patch_embed.proj.weight',
    'patch_embed.proj.bias',
    ...all.flat(),
    'norm.weight',
    'norm.bias',
    'head.weight',
    'head.bias',
  );
};

/** Groups with names instead of parameters. */
export const shown = (
  groups: readonly { readonly params: readonly (readonly [string, unknown])[] }[],
) => groups.map(({ params, ...options }) => ({ names: params.map(([name]) => name), ...options }));
