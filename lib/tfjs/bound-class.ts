/**
 * An optimizer that is both: one of gradstep, with groups, state, schedulers, hooks and
 * checkpoints, and one of TensorFlow.js, for `model.compile`, `minimize` and `model.save`.
 */

import type { OptimizerClass } from '../optimizers/names.ts';
import { Driver, type DriverOptions } from './driver.ts';
import type { GradientsInput } from './gradients-input.ts';
import { readRequests } from './group-requests.ts';
import { decodeConfig, encodeConfig, type OptimizerConfig } from './optimizer-config.ts';
import type { NamedTensorLike, OptimizerOf, TensorFlow, VariableLike } from './tensorflow.ts';
import type { VariableParameter } from './variable-parameter.ts';

/** What a bound optimizer has beside what gradstep and TensorFlow.js ask for. */
export interface BoundMembers {
  /**
   * The parameter of a variable, as groups and `state` know it; undefined before the variable's
   * first gradient, unless it was given when the optimizer was made.
   */
  parameterOf(variable: VariableLike): VariableParameter | undefined;
}

/** An optimizer of gradstep that is one of this `tf` too. */
export type Bound<T extends TensorFlow, C extends OptimizerClass> = InstanceType<C> &
  OptimizerOf<T> &
  BoundMembers;

/** The class of such optimizers. */
export type BoundClass<T extends TensorFlow, C extends OptimizerClass> = (new (
  first?: unknown,
  second?: unknown,
) => Bound<T, C>) & { readonly className: string };

/**
 * @param Base The optimizer of gradstep.
 * @param name What it is called where models are saved.
 */
export function bindClass<T extends TensorFlow, C extends OptimizerClass>(
  tf: T,
  Base: C,
  name: string,
  driverOptions: DriverOptions,
): BoundClass<T, C> {
  class BoundOptimizer extends (Base as OptimizerClass) {
    static readonly className = name;

    static fromConfig(cls: typeof BoundOptimizer, config: unknown): BoundOptimizer {
      const [groups, options] = decodeConfig(config);
      return new cls(groups, options);
    }

    readonly #driver: Driver;
    iterations_ = 0;

    constructor(first?: unknown, second?: unknown) {
      const { groups, options } = readRequests(first, second);
      super([], options);
      try {
        this.#driver = new Driver(tf, this, groups, driverOptions);
      } catch (error) {
        this.dispose();
        throw error;
      }
    }

    parameterOf(variable: VariableLike): VariableParameter | undefined {
      return this.#driver.members.get(variable);
    }

    applyGradients(gradients: GradientsInput): void {
      this.#driver.apply(gradients);
      this.iterations_ += 1;
    }

    getConfig(): OptimizerConfig {
      return encodeConfig(this, this.#driver.members);
    }

    async getWeights(): Promise<NamedTensorLike[]> {
      return this.#driver.getWeights(this.iterations_);
    }

    async setWeights(weights: readonly NamedTensorLike[]): Promise<void> {
      this.iterations_ = await this.#driver.setWeights(weights);
    }

    override dispose(): void {
      super.dispose();
      if (#driver in this) this.#driver?.dispose(); // the base class may fail first
    }
  }
  inherit(BoundOptimizer.prototype, tf.Optimizer.prototype as object);
  return BoundOptimizer as never;
}

/**
 * Takes over what `tf.Optimizer` and its ancestors have and a class has not: `minimize`,
 * `computeGradients`, `iterations`, … (`instanceof tf.Optimizer` asks for methods, not for ancestors.)
 */
function inherit(prototype: object, from: object): void {
  for (let at = from; at !== Object.prototype && at !== null; at = Object.getPrototypeOf(at)) {
    for (const key of Reflect.ownKeys(at)) {
      if (key in prototype) continue;
      Object.defineProperty(prototype, key, Object.getOwnPropertyDescriptor(at, key)!);
    }
  }
}
