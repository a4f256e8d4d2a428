/**
 * Three ways to give parts of one network learning rates of their own. Each starts from a copy of
 * the trained network, takes the same steps, and tells how far each group has moved.
 */

import { type ParameterLike, SGD } from 'gradstep';
import type { LeNet } from './lenet.ts';
import type { Digits } from './mnist.ts';
import { type Plan, train } from './train.ts';

export interface Grouping {
  readonly title: string;
  readonly makeOptimizer: (net: LeNet) => SGD;
  /** Without it the groups keep their learning rates. */
  readonly lrAt?: (share: number) => number;
}

export interface GroupReport {
  readonly name: string;
  /** The learning rates of the first and of the last step. */
  readonly lr: readonly [number, number];
  /** The number of values in all its parameters. */
  readonly size: number;
  /** ‖after - before‖ / ‖before‖. */
  readonly moved: number;
}

export const MOMENTUM = 0.9;

/** The convolutions already see well: they hardly move, the classifier learns. */
const byPart: Grouping = {
  title: 'By part: features at 1e-5, classifier at 1e-2',
  makeOptimizer: (net) =>
    new SGD(
      [
        { name: 'features', params: net.features.parameters() },
        { name: 'classifier', params: net.classifier.parameters(), lr: 1e-2 },
      ],
      { lr: 1e-5, momentum: MOMENTUM },
    ),
};

/** Chosen layers in one group, and whatever is not among them in the other. */
const byLayer: Grouping = {
  title: 'By layer identity: two linear layers at 1e-2, all others at 1e-3',
  makeOptimizer: (net) => {
    const { layers } = net.classifier;
    const special = new Set([layers[0]!, layers[2]!].flatMap((layer) => layer.parameters()));
    const others = net.parameters().filter((parameter) => !special.has(parameter));
    return new SGD(
      [
        { name: 'others', params: others },
        { name: 'special', params: special, lr: 1e-2 },
      ],
      { lr: 1e-3, momentum: MOMENTUM },
    );
  },
};

/** The groups of the first way, whose rate is set anew before each step. */
const dynamic: Grouping = {
  title: 'Dynamic lr: all groups fall from 1e-2 to zero during training',
  makeOptimizer: byPart.makeOptimizer,
  lrAt: (share) => 1e-2 * (1 - share),
};

export const groupings: readonly Grouping[] = [byPart, byLayer, dynamic];

/** Fine-tunes `net` in place; `onStep` gets each step's loss. */
export function fineTune(
  net: LeNet,
  { makeOptimizer, lrAt }: Grouping,
  digits: Digits,
  plan: Plan,
  onStep: (loss: number) => void,
): GroupReport[] {
  const optimizer = makeOptimizer(net);
  const before = new Map(net.parameters().map((parameter) => [parameter, parameter.data.slice()]));
  const firstLr = optimizer.paramGroups.map(({ lr }) => lr);
  for (const loss of train(net, optimizer, digits, lrAt ? { ...plan, lrAt } : plan)) onStep(loss);
  return optimizer.paramGroups.map((group, i) => ({
    name: group.name!,
    lr: [lrAt?.(0) ?? firstLr[i]!, group.lr],
    size: group.params.reduce((total, { data }) => total + data.length, 0),
    moved: distance(group.params, before),
  }));
}

function distance(
  params: readonly ParameterLike[],
  before: ReadonlyMap<ParameterLike, Float32Array>,
): number {
  let moved = 0;
  let length = 0;
  for (const parameter of params) {
    before.get(parameter)!.forEach((old, i) => {
      moved += (parameter.data[i]! - old) ** 2;
      length += old ** 2;
    });
  }
  return Math.sqrt(moved / length);
}
