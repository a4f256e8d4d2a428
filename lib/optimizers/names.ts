/** Optimizers by name, for configuration files. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { describe, nearest } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { Adadelta } from './adadelta.ts';
import { Adafactor } from './adafactor.ts';
import { Adagrad } from './adagrad.ts';
import { Adam } from './adam.ts';
import { Adamax } from './adamax.ts';
import { AdamW } from './adamw.ts';
import { Adan } from './adan.ts';
import { AdEMAMix } from './ademamix.ts';
import { ASGD } from './asgd.ts';
import { LAMB } from './lamb.ts';
import { LARS } from './lars.ts';
import { Lion } from './lion.ts';
import { Muon } from './muon.ts';
import { NAdam } from './nadam.ts';
import { RAdam } from './radam.ts';
import { RMSprop } from './rmsprop.ts';
import { Rprop } from './rprop.ts';
import { SGD } from './sgd.ts';

const builtIn = {
  adadelta: Adadelta,
  adafactor: Adafactor,
  adagrad: Adagrad,
  adam: Adam,
  adamax: Adamax,
  adamw: AdamW,
  asgd: ASGD,
  lion: Lion,
  muon: Muon,
  lamb: LAMB,
  lars: LARS,
  adan: Adan,
  ademamix: AdEMAMix,
  nadam: NAdam,
  radam: RAdam,
  rmsprop: RMSprop,
  rprop: Rprop,
  sgd: SGD,
};

type BuiltIn = typeof builtIn;

/**
 * The classes that `createOptimizer` knows, by name. To have one of your own typed too:
 *
 * ```ts
 * declare module 'gradstep' {
 *   interface OptimizerClasses { mylion: typeof MyLion }
 * }
 * ```
 */
export interface OptimizerClasses extends BuiltIn {}

/** A class of optimizers. */
// biome-ignore lint/suspicious/noExplicitAny: options and state of any kind
export type OptimizerClass = new (params: any, options?: any) => Optimizer<any, any>;

type ClassOf<N extends string> =
  Lowercase<N> extends keyof OptimizerClasses ? OptimizerClasses[Lowercase<N>] : OptimizerClass;

type ParamsFor<N extends string> =
  Lowercase<N> extends keyof OptimizerClasses
    ? ConstructorParameters<OptimizerClasses[Lowercase<N>]>[0]
    : ParamsOrGroups<object>;

type OptionsFor<N extends string> =
  Lowercase<N> extends keyof OptimizerClasses
    ? NonNullable<ConstructorParameters<OptimizerClasses[Lowercase<N>]>[1]>
    : object;

const classes = new Map<string, OptimizerClass>(Object.entries(builtIn));

/**
 * An optimizer by the name of its class; upper and lower case do not matter.
 *
 * ```ts
 * const { name, ...options } = JSON.parse(text); // { "name": "adamw", "lr": 3e-4 }
 * const optimizer = createOptimizer(name, parameters, options);
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for a name that is not known; as the class.
 */
export function createOptimizer<const N extends string>(
  name: N,
  params: ParamsFor<N>,
  options?: OptionsFor<N>,
): InstanceType<ClassOf<N>> {
  const Class = optimizerClass(name);
  return new Class(params, options) as InstanceType<ClassOf<N>>;
}

/**
 * The class of this name. @internal
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for a name that is not known.
 */
export function optimizerClass(name: string): OptimizerClass {
  const Class = typeof name === 'string' ? classes.get(name.toLowerCase()) : undefined;
  if (Class === undefined) throw unknownName(name);
  return Class;
}

/** The names that `createOptimizer` knows now, sorted. */
export function listOptimizers(): string[] {
  return [...classes.keys()].sort();
}

/**
 * Lets `createOptimizer` know a class of your own; upper and lower case of its name do not matter.
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` when the name is empty or another class's, or
 * the class does not extend `Optimizer`.
 */
export function registerOptimizer(name: string, Class: OptimizerClass): void {
  if (typeof name !== 'string' || name === '') {
    refuse(`Expected the name of an optimizer to be a string but received ${describe(name)}`);
  }
  if (typeof Class !== 'function' || !(Object(Class.prototype) instanceof Optimizer)) {
    refuse(
      `Expected '${name}' to be a class that extends Optimizer but received ${describe(Class)}`,
    );
  }
  const known = classes.get(name.toLowerCase());
  if (known !== undefined && known !== Class) {
    refuse(`Expected a name that is free: '${name}' is ${describe(known)} already`);
  }
  classes.set(name.toLowerCase(), Class);
}

function refuse(sentence: string): never {
  throw new GradstepError('ERR_INVALID_ARGUMENT', sentence);
}

function unknownName(name: unknown): GradstepError {
  const known = listOptimizers();
  const guess = typeof name === 'string' ? nearest(name, known) : undefined;
  return new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected the name of an optimizer but received ${describe(name)}` +
      `${guess ? `; did you mean ${guess}?` : '.'} Known are ${known.join(', ')}`,
  );
}
