/** The table of runs: one row per optimizer, with the options it has on each function. */

import {
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  Adan,
  AdEMAMix,
  ASGD,
  LAMB,
  LARS,
  Lion,
  NAdam,
  type Parameter,
  RAdam,
  RMSprop,
  Rprop,
  type SchedulableOptimizer,
  SGD,
} from 'gradstep';
import type { FunctionName } from './functions.ts';

/** What a run needs of an optimizer. */
interface Runnable extends SchedulableOptimizer {
  step(): void;
  dispose(): void;
}

type Options = { readonly lr: number } & Readonly<Record<string, unknown>>;

export interface Recipe {
  readonly title: string;
  readonly make: (params: Parameter[], options: Options) => Runnable;
  /** Options that hold on every function. */
  readonly common: Readonly<Record<string, unknown>>;
  readonly on: Readonly<Record<FunctionName, Options>>;
}

/** Learning rates in the order of the functions; an object where a function wants more. */
type Rates = readonly [
  sphere: number | Options,
  rosenbrock: number | Options,
  beale: number | Options,
  mcCormick: number | Options,
  matyas: number | Options,
];

type Kind = new (params: Parameter[], options: never) => Runnable;

function recipe(
  Kind: Kind,
  rates: Rates,
  common: Recipe['common'] = {},
  title = Kind.name,
): Recipe {
  const [sphere, rosenbrock, beale, mcCormick, matyas] = rates.map((rate) =>
    typeof rate === 'number' ? { lr: rate } : rate,
  ) as [Options, Options, Options, Options, Options];
  return {
    title,
    make: (params, options) => new Kind(params, { ...common, ...options } as never),
    common,
    on: { sphere, rosenbrock, beale, mcCormick, matyas },
  };
}

/** Decays (`lambd`, `weightDecay`) are weak, since they move the point of rest off the minimum. */
export const recipes: readonly Recipe[] = [
  recipe(SGD, [0.05, 0.0014, 0.02, 0.1, 0.8]),
  recipe(SGD, [0.01, 0.0005, 0.005, 0.02, 0.1], { momentum: 0.9 }, 'SGD with momentum'),
  recipe(ASGD, [0.05, 0.0014, 0.02, 0.1, 0.8], { lambd: 1e-5 }),
  recipe(Adagrad, [1, 0.5, 0.5, 0.5, 4]),
  recipe(Adadelta, [
    { lr: 1, eps: 1e-3 },
    { lr: 0.3, eps: 1e-6 },
    { lr: 0.5, eps: 1e-4 },
    { lr: 1, eps: 1e-4 },
    { lr: 1, eps: 1e-3 },
  ]),
  recipe(Adafactor, [0.2, 0.02, 0.1, 0.2, 0.5], { relativeStep: false, scaleParameter: false }),
  recipe(RMSprop, [0.1, 0.002, 0.01, 0.05, 0.1]),
  recipe(Rprop, [0.1, 0.1, 0.1, 0.1, 0.5], { stepSizes: [1e-8, 1] }),
  recipe(Adam, [0.2, 0.05, 0.1, 0.1, 0.5]),
  recipe(Adam, [0.2, 0.05, 0.1, 0.1, 0.5], { amsgrad: true }, 'Adam with amsgrad'),
  recipe(AdamW, [0.2, 0.05, 0.1, 0.1, 0.5], { weightDecay: 1e-4 }),
  recipe(Adamax, [0.5, 0.05, 0.2, 0.2, 2]),
  recipe(NAdam, [0.2, 0.01, 0.1, 0.1, 0.5]),
  recipe(RAdam, [0.2, 0.003, 0.05, 0.2, 1]),
  recipe(Adan, [1, 0.02, 0.05, 0.05, 0.5]),
  recipe(AdEMAMix, [1, 0.02, 0.05, 0.05, 0.5], { betas: [0.9, 0.999, 0.99], alpha: 1 }),
  recipe(LAMB, [0.1, 0.02, 0.05, 0.05, 0.1], { weightDecay: 0 }),
  recipe(LARS, [1, 0.02, 0.1, 0.1, 0.5], { trustCoeff: 0.1 }),
  recipe(Lion, [0.1, 0.005, 0.003, 0.01, 0.1]),
];
