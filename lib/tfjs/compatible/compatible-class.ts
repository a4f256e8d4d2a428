/** The classes that take the place of `tf.train`'s: called, saved and loaded as those are. */

import { describe } from '../../support/describe.ts';
import { GradstepError } from '../../support/errors.ts';
import { bindClass } from '../bound-class.ts';
import type { GradientsInput } from '../gradients-input.ts';
import type { AnyOptimizer } from '../members.ts';
import type { NamedTensorLike, TensorFlow } from '../tensorflow.ts';
import type { Argument, CompatibleSpec } from './compatible-optimizers.ts';
import { compatibleFormat } from './compatible-weights.ts';

/** What these have as TensorFlow.js's own have it. */
interface CompatibleMembers extends AnyOptimizer {
  applyGradients(gradients: GradientsInput): void;
  setWeights(weights: readonly NamedTensorLike[]): Promise<void>;
  readonly iterations: number;
}

type Numbers = Record<string, number>;

/** A class whose instances are made with the arguments of `tf.train.adam(…)`. */
export type CompatibleClass = (new (
  ...args: unknown[]
) => CompatibleMembers) & {
  readonly className: string;
};

export function compatibleClass(tf: TensorFlow, spec: CompatibleSpec): CompatibleClass {
  const format = compatibleFormat(spec);
  const Bound = bindClass(tf, spec.Base, spec.className, { format }) as unknown as new (
    options: object,
  ) => CompatibleMembers;

  class CompatibleOptimizer extends Bound {
    static readonly className = spec.className;

    static fromConfig(cls: CompatibleClass, config: Readonly<Record<string, unknown>>): object {
      return new cls(...spec.args.map(({ key }) => config[key]));
    }

    constructor(...args: unknown[]) {
      super(readArguments(tf, spec, args));
    }

    getConfig(): object {
      const options = this.defaults as Numbers;
      return Object.fromEntries(spec.args.map(({ key, option }) => [key, options[option]]));
    }

    override applyGradients(gradients: GradientsInput): void {
      super.applyGradients(gradients);
      this.#count(1);
    }

    override async setWeights(weights: readonly NamedTensorLike[]): Promise<void> {
      await super.setWeights(weights);
      for (const group of this.#groups()) {
        for (const { option, first } of spec.counters) group[option] = first(group);
      }
      this.#count(this.iterations);
    }

    /** Multiplied up step by step, so that a run that is resumed has the bits of one that was not. */
    #count(times: number): void {
      for (const { option, next } of spec.counters) {
        for (const group of this.#groups()) {
          for (let i = 0; i < times; i++) group[option] = next(group);
        }
      }
    }

    /** Groups, and what groups that come begin with. */
    #groups(): Numbers[] {
      return [...(this.paramGroups as unknown as Numbers[]), this.defaults as Numbers];
    }

    /** An argument that can be set later, for all groups. */
    static accessor({ option }: Argument): PropertyDescriptor {
      return {
        configurable: true,
        get(this: CompatibleOptimizer) {
          return (this.defaults as Numbers)[option];
        },
        set(this: CompatibleOptimizer, value: number) {
          for (const group of this.#groups()) group[option] = value;
        },
      };
    }
  }
  for (const argument of spec.args) {
    const { key } = argument;
    const set = `set${key[0]!.toUpperCase()}${key.slice(1)}`; // setLearningRate, setMomentum
    Object.defineProperty(
      CompatibleOptimizer.prototype,
      key,
      CompatibleOptimizer.accessor(argument),
    );
    Object.defineProperty(CompatibleOptimizer.prototype, set, {
      configurable: true,
      value(this: Record<string, unknown>, value: number) {
        this[key] = value;
      },
    });
  }
  return CompatibleOptimizer as unknown as CompatibleClass;
}

/** Options by what stands in each place; null and undefined are what they are there. */
function readArguments(tf: TensorFlow, spec: CompatibleSpec, args: readonly unknown[]): object {
  const options: Record<string, unknown> = {};
  const epsilon = epsilonOf(tf);
  for (const [i, { key, option, initial }] of spec.args.entries()) {
    const value = args[i] ?? (initial === null ? epsilon : initial);
    if (value === undefined) {
      throw new GradstepError(
        'ERR_INVALID_OPTION',
        `Expected ${key} of tf.train.${spec.name} to be a number but received ${describe(value)}`,
      );
    }
    options[option] = value;
  }
  if (spec.name === 'adagrad') options.eps = epsilon; // it has no argument for it
  for (const { option, first } of spec.counters) options[option] = first(options as Numbers);
  return options;
}

function epsilonOf(tf: TensorFlow): number {
  const { backend } = tf.engine() as { readonly backend?: { epsilon?(): number } };
  return backend?.epsilon?.() ?? 1e-7;
}
