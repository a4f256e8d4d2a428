/** Different optimizers in one: `combine`, and `stepAll` for many that stay apart. */

import { refuseOptions } from '../optimizer/fields.ts';
import type { Optimizer } from '../optimizer/optimizer.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { HasStateDict, type OwnLoad } from '../state-dict/has-state-dict.ts';
import type { LoadStateDictOptions } from '../state-dict/stateful.ts';
import type { HookHandle, StepPostHook, StepPreHook } from '../stepping/hooks.ts';
import {
  registerSteppable,
  type Steppable,
  steppableOf,
  stepTogether,
} from '../stepping/stepping.ts';
import { type ZeroGradOptions, zeroGrads } from '../stepping/zero-grad.ts';
import { describe, inspectCustom } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isIterable, isObject, itemsOf } from '../support/iterables.ts';
import { refuseWrites } from '../support/read-only.ts';
import { type CombinedStateDict, prepareCombined, writeCombined } from './combined-dict.ts';
import { CombinedState } from './combined-state.ts';
import { CombinedStepper, refuseSharing } from './combined-stepper.ts';

/** An optimizer, of any kind, or several combined. */
// biome-ignore lint/suspicious/noExplicitAny: options of any kind
export type AnyOptimizer = Optimizer<any, any> | CombinedOptimizer<any>;

/** The groups of any of these optimizers. */
type GroupOf<T extends readonly AnyOptimizer[]> = T[number]['paramGroups'][number];

type StateIn<T> = T extends { readonly state: ReadonlyMap<unknown, infer S> } ? S : never;

// Node 20 has it; a browser may not.
const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol('Symbol.dispose');

/** Several optimizers that are used as one; made by `combine`. Schedulers take it as any other. */
export class CombinedOptimizer<
  T extends readonly AnyOptimizer[] = readonly AnyOptimizer[],
> extends HasStateDict<CombinedStateDict> {
  /** The optimizers inside, in order; each can still be used alone. */
  readonly optimizers: T;
  /** State by parameter, of all optimizers. */
  readonly state: ReadonlyMap<ParameterLike, StateIn<T[number]>>;
  readonly #stepper: CombinedStepper;

  static {
    refuseWrites(CombinedOptimizer.prototype);
    refuseOptions(CombinedOptimizer.prototype, (object) =>
      #stepper in object
        ? object.optimizers.flatMap(({ defaults }) => Object.keys(defaults))
        : undefined,
    );
  }

  /** @internal */
  constructor(optimizers: T, parts: readonly Steppable[]) {
    super();
    this.optimizers = Object.freeze(optimizers);
    this.#stepper = new CombinedStepper(this, parts);
    this.state = new CombinedState(
      optimizers.map(({ state }) => state as ReadonlyMap<ParameterLike, StateIn<T[number]>>),
    );
    const { steppers } = this.#stepper;
    for (const { status } of steppers) status.require('combine', 'idle', 'caller');
    refuseSharing(steppers);
    registerSteppable(this, this.#stepper);
  }

  /** The groups of all optimizers, in order, as they are now. */
  get paramGroups(): readonly GroupOf<T>[] {
    return Object.freeze(this.optimizers.flatMap(({ paramGroups }) => [...paramGroups]));
  }

  /** The options whose defaults are the same in all optimizers. */
  get defaults(): Readonly<Record<string, unknown>> {
    const [first = {}, ...others] = this.optimizers.map(({ defaults }) => ({ ...defaults }));
    const shared = Object.entries(first).filter(([key, value]) =>
      others.every((other) => JSON.stringify(other[key]) === JSON.stringify(value)),
    );
    return Object.freeze(Object.fromEntries(shared));
  }

  /** Updates every parameter that has a gradient. */
  step(): undefined;
  /**
   * Calls `closure` once, which computes the gradients, then updates.
   *
   * @returns What the closure returned: the loss.
   * @throws {GradstepError} As `Optimizer.step`, and `ERR_DUPLICATE_PARAMETER` or `ERR_OVERLAP`
   * when two of the optimizers have come to share a parameter; nothing has been updated then.
   */
  step<R>(closure: () => R): R;
  step<R>(closure?: () => R): R | undefined {
    return stepTogether([this.#stepper], closure === undefined ? [] : [closure]) as R | undefined;
  }

  /** As `Optimizer.registerStepPreHook`; runs before the hooks of the optimizers inside. */
  registerStepPreHook(hook: StepPreHook<this>): HookHandle {
    return this.#stepper.hooks.pre.add(hook as StepPreHook<never>);
  }

  /** As `Optimizer.registerStepPostHook`; runs after the hooks of the optimizers inside. */
  registerStepPostHook(hook: StepPostHook<this>): HookHandle {
    return this.#stepper.hooks.post.add(hook as StepPostHook<never>);
  }

  /**
   * Forgets all gradients, as `Optimizer.zeroGrad`.
   *
   * @throws {GradstepError} `ERR_INVALID_GRADIENT`, `ERR_DETACHED`; nothing has changed then.
   */
  zeroGrad(options: ZeroGradOptions = {}): void {
    zeroGrads(this.#stepper.steppers, options);
  }

  /** @internal */
  protected override writeDict(copy: boolean): CombinedStateDict {
    return writeCombined(this.optimizers, copy);
  }

  /** @internal */
  override givesCopies(): boolean {
    return super.givesCopies() && this.optimizers.every((optimizer) => optimizer.givesCopies());
  }

  /** @internal */
  protected override prepareDict(dict: unknown, options: Required<LoadStateDictOptions>): OwnLoad {
    return prepareCombined(this.optimizers, dict, options);
  }

  /** Disposes of all optimizers inside. Safe to call twice. */
  dispose(): void {
    for (const { status } of this.#stepper.steppers) {
      if (!status.disposed) status.require('dispose', 'idle', 'caller');
    }
    for (const optimizer of this.optimizers) optimizer.dispose();
  }

  /** `using optimizer = combine([…])` disposes of all at the end of the block. */
  [disposeSymbol](): void {
    this.dispose();
  }

  /** All optimizers inside, as they print themselves. */
  override toString(): string {
    return ['CombinedOptimizer (', ...this.optimizers.map(String), ')'].join('\n');
  }

  /** What `console.log` shows in Node.js. */
  [inspectCustom](): string {
    return this.toString();
  }
}

/**
 * Several optimizers as one, each for its own parameters: one `step`, one `zeroGrad`, one list of
 * groups, one map of states.
 *
 * ```ts
 * const optimizer = combine([
 *   new AdamW(embeddings, { lr: 1e-3 }),
 *   new SGD(others, { lr: 0.1, momentum: 0.9 }),
 * ]);
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no optimizer and for one that stands
 * there twice, `ERR_DUPLICATE_PARAMETER` and `ERR_OVERLAP` when two share a parameter or its
 * memory, `ERR_BUSY`, `ERR_DISPOSED`.
 */
export function combine<const T extends readonly AnyOptimizer[]>(
  optimizers: T,
): CombinedOptimizer<T> {
  const [list, parts] = readOptimizers(optimizers, 'combine()');
  return new CombinedOptimizer(list as unknown as T, parts);
}

/**
 * Steps many optimizers at once, in their order (those with an `update` of their own last). Hooks
 * run as around each alone; everything is checked in all of them before the first update.
 *
 * ```ts
 * stepAll(models.map(({ optimizer }) => optimizer));
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no optimizer and for one that stands
 * there twice; as `Optimizer.step`.
 */
export function stepAll(optimizers: Iterable<AnyOptimizer>): void {
  const [, parts] = readOptimizers(optimizers, 'stepAll()');
  stepTogether(parts, []);
}

function readOptimizers(
  given: Iterable<unknown>,
  call: string,
): [list: AnyOptimizer[], parts: Steppable[]] {
  if (!isIterable(given)) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected ${call} to get a list of optimizers but received ${describe(given)}`,
    );
  }
  const list = itemsOf(given, `what ${call} gets`);
  const seen = new Set<object>();
  const parts = list.map((optimizer, i) => {
    const part = isObject(optimizer) ? steppableOf(optimizer) : undefined;
    if (part === undefined || part.steppers.some((stepper) => seen.has(stepper))) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected ${call} to get different optimizers but received ${describe(optimizer)} ` +
          `${part ? 'twice ' : ''}at index ${i}`,
      );
    }
    for (const stepper of part.steppers) seen.add(stepper);
    return part;
  });
  return [list as AnyOptimizer[], parts];
}
