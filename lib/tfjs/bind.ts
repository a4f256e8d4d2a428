/** `bindTfjs(tf)`: every optimizer of gradstep as an optimizer of TensorFlow.js. */

import {
  listOptimizers,
  type OptimizerClass,
  type OptimizerClasses,
  optimizerClass,
} from '../optimizers/names.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { type Bound, type BoundClass, bindClass } from './bound-class.ts';
import type { BindOptions } from './driver.ts';
import type { VariablesInput } from './selection.ts';
import type { TensorFlow } from './tensorflow.ts';

/** The options of a class of optimizers. */
type OptionsOf<C extends OptimizerClass> = NonNullable<ConstructorParameters<C>[1]>;

/** A group: which variables, and the options that differ from the others'. */
export type VariableGroup<O> = Partial<O> & {
  readonly params: VariablesInput;
  readonly name?: string;
  readonly meta?: unknown;
  readonly frozen?: boolean;
};

/** Makes optimizers of one class. */
export interface Factory<T extends TensorFlow, C extends OptimizerClass> {
  /** Whatever variable has a gradient is stepped. */
  (options?: OptionsOf<C>): Bound<T, C>;
  /** These variables alone, in groups or in one. */
  (
    params: VariablesInput | readonly VariableGroup<OptionsOf<C>>[],
    options?: OptionsOf<C>,
  ): Bound<T, C>;
}

/** A factory for each class, by the names of `createOptimizer`: `optim.adamw(…)`. */
export type Optim<T extends TensorFlow> = {
  readonly [N in keyof OptimizerClasses]: Factory<T, OptimizerClasses[N]>;
};

/**
 * Binds gradstep to a TensorFlow.js. The optimizers are gradstep's own, with all that belongs to
 * them, and can be given to `model.compile`; formulas and defaults are PyTorch's.
 *
 * ```ts
 * const optim = bindTfjs(tf);
 * model.compile({ optimizer: optim.adamw({ lr: 1e-3, weightDecay: 1e-2 }), loss: 'meanSquaredError' });
 *
 * const optimizer = optim.sgd(
 *   [{ params: model.layers.slice(0, 4), lr: 1e-5 }, { params: model.layers.slice(4) }],
 *   { lr: 1e-2, momentum: 0.9 },
 * );
 * const cost = optimizer.minimize(() => loss(), true);
 * ```
 *
 * @param tf What `import * as tf from '@tensorflow/tfjs'` gives.
 * @param options `inPlace: true` writes into the arrays of the cpu backend, which is faster by a
 * copy of all parameters a step: what `dataSync()` gave changes then. Default: false.
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no TensorFlow.js.
 */
export function bindTfjs<T extends TensorFlow>(tf: T, options: BindOptions = {}): Optim<T> {
  checkTfjs(tf);
  const bound = listOptimizers().map((name) => [name, factory(tf, name, { ...options })]);
  return Object.freeze(Object.fromEntries(bound)) as Optim<T>;
}

function factory(tf: TensorFlow, name: string, options: BindOptions): unknown {
  const Base = optimizerClass(name);
  const Class: BoundClass<TensorFlow, OptimizerClass> = bindClass(
    tf,
    Base,
    `gradstep>${Base.name}`,
    options,
  );
  tf.serialization.registerClass(Class as never); // for loadLayersModel
  return (...args: [unknown, unknown]) => new Class(...args);
}

/** @throws {GradstepError} `ERR_INVALID_ARGUMENT`. */
export function checkTfjs(tf: unknown): asserts tf is TensorFlow {
  const { engine, Optimizer, serialization } = Object(tf) as Partial<TensorFlow>;
  if (
    typeof engine === 'function' &&
    typeof Optimizer === 'function' &&
    typeof serialization?.registerClass === 'function'
  ) {
    return;
  }
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    "Expected TensorFlow.js, as import * as tf from '@tensorflow/tfjs' gives it, but received " +
      describe(tf),
  );
}
