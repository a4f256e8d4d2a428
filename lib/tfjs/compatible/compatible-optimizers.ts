/**
 * The seven optimizers of `tf.train` as rules of gradstep, with TensorFlow.js's own formulas,
 * defaults and bits: what each is called there, and what becomes what here.
 */

import type { ParamsOrGroups } from '../../groups/group-input.ts';
import { Optimizer } from '../../optimizer/optimizer.ts';
import type { OptimizerClass } from '../../optimizers/names.ts';
import { flag, number, type Option } from '../../options/option.ts';
import { Schema } from '../../options/schema.ts';

const { fround } = Math;

/** A group of one of them, with the numbers that belong to it and not to its parameters. */
type Group = Record<string, number>;

/** One argument of `tf.train.adam(…)`, in its order. */
export interface Argument {
  /** Its name there, also in configs. */
  readonly key: string;
  /** The option here. */
  readonly option: string;
  /** Undefined: it has to be given; null: the backend's epsilon. */
  readonly initial: number | boolean | null | undefined;
}

/** One optimizer. */
export interface CompatibleSpec {
  /** Its function in `tf.train`. */
  readonly name: string;
  /** What it is called in saved models. */
  readonly className: string;
  readonly Base: OptimizerClass;
  readonly args: readonly Argument[];
  /** The state in the order in which it is saved: how its names end there, and its name here. */
  readonly weights: readonly { readonly suffix: string; readonly state: string }[];
  /** What counts up with every call, whatever variables were in it. */
  readonly counters: readonly Counter[];
  /** Where state begins that does not begin at zero. */
  readonly filledWith?: string;
}

/** A number of a group that changes with every call. */
export interface Counter {
  readonly option: string;
  /** Before the first call. */
  first(group: Group): number;
  next(group: Group): number;
}

/** A power of a beta: a float32 product, as there. */
function powerOf(beta: string): Counter {
  const option = `${beta}Power`;
  return {
    option,
    first: (group) => fround(group[beta]!),
    next: (group) => fround(group[option]! * fround(group[beta]!)),
  };
}

const iteration: Counter = {
  option: 'iteration',
  first: () => 0,
  next: (group) => fround(group.iteration! + 1),
};

type Initial = Argument['initial'];

const arg = (key: string, initial: Initial, option = key): Argument => ({ key, option, initial });
const learningRate = (initial: Initial) => arg('learningRate', initial, 'lr');
const epsilon = arg('epsilon', null, 'eps');

interface Described extends Omit<CompatibleSpec, 'Base' | 'weights' | 'counters'> {
  readonly rule: string;
  /** Options that are no arguments, by their first value. */
  readonly hidden?: Readonly<Record<string, number>>;
  /** State by what its names end in; `needs` is the option that calls for it. */
  readonly state: readonly { readonly suffix: string; readonly state: string; needs?: string }[];
  readonly counters?: readonly Counter[];
}

function compatible({ rule, hidden = {}, state, ...spec }: Described): CompatibleSpec {
  const given = spec.args.map(({ option, initial }): [string, Option<unknown>] => [
    option,
    typeof initial === 'boolean' ? flag(initial) : number(initial ?? 0, {}),
  ]);
  const others = Object.entries(hidden).map(([option, initial]) => [option, number(initial, {})]);
  const schema = new Schema<object>({
    name: `Tfjs${spec.className}`,
    rule,
    options: Object.fromEntries([...given, ...others]),
    state: state.map(({ state: name, needs }) => ({
      name,
      ...(needs && { when: needs as never }),
    })),
    counted: true,
  });
  class CompatibleOptimizer extends Optimizer<object, unknown> {
    constructor(params: ParamsOrGroups<object>, options: object = {}) {
      super(schema, params, options);
    }
  }
  return { counters: [], ...spec, Base: CompatibleOptimizer as OptimizerClass, weights: state };
}

const same = (name: string) => ({ suffix: name, state: name });

export const COMPATIBLE: readonly CompatibleSpec[] = [
  compatible({
    name: 'sgd',
    className: 'SGD',
    rule: 'tfjsSgd',
    args: [learningRate(undefined)],
    state: [],
  }),
  compatible({
    name: 'momentum',
    className: 'Momentum',
    rule: 'tfjsMomentum',
    args: [
      learningRate(undefined),
      arg('momentum', undefined),
      arg('useNesterov', false, 'nesterov'),
    ],
    state: [same('momentum')],
  }),
  compatible({
    name: 'adam',
    className: 'Adam',
    rule: 'tfjsAdam',
    args: [learningRate(1e-3), arg('beta1', 0.9), arg('beta2', 0.999), epsilon],
    hidden: { beta1Power: 0, beta2Power: 0 },
    state: [same('m'), same('v')],
    counters: [powerOf('beta1'), powerOf('beta2')],
  }),
  compatible({
    name: 'adamax',
    className: 'Adamax',
    rule: 'tfjsAdamax',
    args: [learningRate(2e-3), arg('beta1', 0.9), arg('beta2', 0.999), epsilon, arg('decay', 0)],
    hidden: { beta1Power: 0, iteration: 0 },
    state: [same('m'), same('v')],
    counters: [powerOf('beta1'), iteration],
  }),
  compatible({
    name: 'rmsprop',
    className: 'RMSProp',
    rule: 'tfjsRmsprop',
    args: [
      learningRate(undefined),
      arg('decay', 0.9),
      arg('momentum', 0),
      epsilon,
      arg('centered', false),
    ],
    state: [same('rms'), same('momentum'), { ...same('mg'), needs: 'centered' }],
  }),
  compatible({
    name: 'adagrad',
    className: 'Adagrad',
    rule: 'tfjsAdagrad',
    args: [learningRate(undefined), arg('initialAccumulatorValue', 0.1)],
    hidden: { eps: 1e-7 },
    state: [same('accumulator')],
    filledWith: 'initialAccumulatorValue',
  }),
  compatible({
    name: 'adadelta',
    className: 'Adadelta',
    rule: 'tfjsAdadelta',
    args: [learningRate(1e-3), arg('rho', 0.95), epsilon],
    state: [
      { suffix: 'accum_grad', state: 'accumGrad' },
      { suffix: 'accum_var', state: 'accumVar' },
    ],
  }),
];
