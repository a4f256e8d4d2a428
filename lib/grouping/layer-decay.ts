/** Learning rates that fall from the last layer of a network to its first. */

import type { NamedParameter } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import {
  callable,
  flag,
  integer,
  omissible,
  optional,
  parseArguments,
  real,
} from '../schedules/arguments.ts';
import { GradstepError } from '../support/errors.ts';
import { power } from '../support/power.ts';
import { layersOf } from './layers.ts';
import { divide, type PlainGroup, partOf, readNamed } from './named-groups.ts';
import type { NamedGroup, NamedInput } from './types.ts';

/** Options of `layerDecay`. */
export interface LayerDecayOptions {
  /** Learning rate of the last layer, >= 0; a group that has its own `lr` starts from that. */
  readonly lr?: number;
  /** The least factor that any layer gets, from 0 to 1. Default: 0. */
  readonly minScale?: number;
  /** The layer of a parameter, counted from 0 at the input. Default: found from the names. */
  readonly layerOf?: (name: string, parameter: ParameterLike) => number;
  /**
   * Do not count layers that are wholly frozen now: by `frozen` of their parameters or groups.
   * Default: false, which counts all, as timm does.
   */
  readonly skipFrozen?: boolean;
}

const checkDecay = real({ above: 0, max: 1 });
const checkLr = real({ min: 0 }, 'Invalid learning rate.');
const checkLayer = integer(0);
const table = {
  lr: omissible(checkLr),
  minScale: optional(real({ min: 0, max: 1 }), 0),
  layerOf: omissible(callable<(name: string, parameter: ParameterLike) => number>()),
  skipFrozen: optional(flag, false),
};

/**
 * Makes a group for every layer, whose learning rate is lower the further it is from the output:
 * layer-wise learning rate decay, as in timm (`timm/optim/_param_groups.py`,
 * `param_groups_layer_decay`) and BEiT (Bao et al., 2021, https://arxiv.org/abs/2106.08254):
 *
 *     lr of a layer = lr * max(minScale, decay ** (how many layers come after it))
 *
 * Groups are named `layer 0`, `layer 1`, … and come in this order. Without `layerOf`, a numbered
 * block (`blocks.0`, `features.3`) is a layer; so is what stands before, between and after the
 * blocks; where no name has a number, every module is a layer. timm keeps the factor as
 * `lr_scale` beside the rate; here the rate has it, and schedulers, which start from each group's
 * rate, keep the proportion.
 *
 * ```ts
 * const groups = noDecay(layerDecay(net.namedParameters(), 0.75, { lr: 1e-3 }));
 * const optimizer = new AdamW(groups, { weightDecay: 0.05 });
 * ```
 *
 * @param input Named parameters; groups too, but then with `layerOf`: layers are found from the
 * order of the names, which groups have changed.
 * @param decay The factor from a layer to the one before it, above 0, up to 1.
 * @throws {GradstepError} `ERR_INVALID_OPTION`, also without any `lr`; `ERR_UNKNOWN_OPTION`;
 * `ERR_INVALID_ARGUMENT` for groups without `layerOf`; and as an optimizer's constructor.
 */
export function layerDecay(
  input: NamedInput,
  decay: number,
  options: LayerDecayOptions = {},
): NamedGroup[] {
  checkDecay(decay, 'decay of layerDecay()');
  const { lr, minScale, layerOf, skipFrozen } = parseArguments<LayerDecayOptions>(
    table,
    options,
    'layerDecay()',
  );
  const groups = readNamed(input, 'layerDecay()');
  const layers = layerOf ? askedLayers(groups, layerOf) : foundLayers(groups);
  const last = [...layers.values()].reduce((a, b) => Math.max(a, b), 0);
  const frozen = skipFrozen ? frozenLayers(groups, layers) : [];
  return groups.flatMap((group) => {
    const base = checkLr(group.lr ?? lr, 'lr of layerDecay()');
    return divide(group, ([, parameter]) => layers.get(parameter)!).map(([layer, params]) => {
      const left = last - layer - frozen.filter((one) => one > layer).length;
      const scale = Math.max(minScale, power(decay, left));
      return partOf(group, params, `layer ${layer}`, { lr: base * scale });
    });
  }) as NamedGroup[];
}

type Layers = ReadonlyMap<ParameterLike, number>;

function askedLayers(
  groups: readonly PlainGroup[],
  layerOf: (...pair: NamedParameter) => unknown,
): Layers {
  const pairs = groups.flatMap(({ params }) => params);
  return new Map(
    pairs.map(([name, parameter]) => {
      const layer = checkLayer(layerOf(name, parameter), `layerOf('${name}') of layerDecay()`);
      return [parameter, layer];
    }),
  );
}

/** The layers in which nothing moves. */
function frozenLayers(groups: readonly PlainGroup[], layers: Layers): readonly number[] {
  const moving = new Set<number>();
  for (const group of groups) {
    for (const [, parameter] of group.params) {
      if (group.frozen !== true && parameter.frozen !== true) moving.add(layers.get(parameter)!);
    }
  }
  return [...new Set(layers.values())].filter((layer) => !moving.has(layer));
}

function foundLayers(groups: readonly PlainGroup[]): Layers {
  if (groups.length > 1) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      'layerDecay() finds layers from the order of the names, which groups have changed: call it ' +
        'first and divide its groups, or give it layerOf',
    );
  }
  const pairs = groups.flatMap(({ params }) => params);
  const layers = layersOf(pairs.map(([name]) => name));
  return new Map(pairs.map(([name, parameter]) => [parameter, layers.get(name)!]));
}
