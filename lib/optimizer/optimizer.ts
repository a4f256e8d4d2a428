/** The base class of all optimizers: groups, state, `step()`, `zeroGrad()`. */

import { activeBackend } from '../backend/active.ts';
import type { Core } from '../backend/backend.ts';
import { openRule, portable } from '../backend/portable/portable.ts';
import {
  checkOptions,
  listGroups,
  type ParamGroupInput,
  type ParamsOrGroups,
} from '../groups/group-input.ts';
import { GroupTable } from '../groups/group-table.ts';
import { override } from '../groups/override-parameter.ts';
import type { LiveOptions, ParamGroup } from '../groups/param-group.ts';
import { Schema } from '../options/schema.ts';
import { isObject, type ParamsInput } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import type { StateMap } from '../slots/state.ts';
import { Status } from '../slots/status.ts';
import { HasStateDict, type OwnLoad } from '../state-dict/has-state-dict.ts';
import { prepareOptimizer } from '../state-dict/load.ts';
import { type OptimizerStateDict, writeOptimizer } from '../state-dict/optimizer-dict.ts';
import type { LoadStateDictOptions } from '../state-dict/stateful.ts';
import type { HookHandle, StepArguments, StepPostHook, StepPreHook } from '../stepping/hooks.ts';
import { type StepAsyncOptions, stepAsync } from '../stepping/step-async.ts';
import {
  type LastStep,
  parseStepOptions,
  STEP_KEYS,
  type StepOptions,
  StepSettings,
} from '../stepping/step-options.ts';
import { registerSteppable, Stepper, stepAlone, stepTogether } from '../stepping/stepping.ts';
import { type ZeroGradOptions, zeroGrads } from '../stepping/zero-grad.ts';
import { inspectCustom } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { readOnlyFields, refuseWrites } from '../support/read-only.ts';
import { readOnlyList } from '../support/read-only-list.ts';
import { refuseOptions } from './fields.ts';
import { addParameters, removeParameters, replaceParameter, resetState } from './membership.ts';
import { OwnRule, schemaOf, type UpdateArguments } from './own-rule.ts';
import { printOptimizer } from './print.ts';
import type { ReplaceOptions } from './replace-options.ts';

// Node 20 has it; a browser may not.
const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol('Symbol.dispose');

/**
 * An optimizer over parameter groups, as `torch.optim.Optimizer`. To write one, extend this class
 * and give it `static defaults`, `static state` and `update`: docs/optimizers.md.
 *
 * @typeParam O The options that a group may set.
 * @typeParam S The state of one parameter.
 */
export abstract class Optimizer<
  O extends object = object,
  S = unknown,
> extends HasStateDict<OptimizerStateDict> {
  /** The options that new groups start from; assigning to one changes groups added later. */
  declare readonly defaults: LiveOptions<O>;
  /** The groups, in order: a read-only list of live objects. */
  declare readonly paramGroups: readonly ParamGroup<O>[];
  /** What steps do to gradients; assigning to one of these changes the next step. */
  declare readonly stepOptions: LiveOptions<StepOptions>;
  /** State by parameter; empty for a parameter that was not stepped yet. */
  declare readonly state: StateMap<S>;

  readonly #schema: Schema<O>;
  readonly #core: Core;
  readonly #status = new Status();
  readonly #groups: GroupTable<O, S>;
  readonly #stepper: Stepper;
  readonly #settings: StepSettings;
  readonly #paramGroups: readonly ParamGroup<O>[];

  /**
   * For optimizers with an `update` of their own.
   *
   * @throws {GradstepError} As `Adam`; `ERR_INVALID_ARGUMENT` when the class is not complete.
   */
  constructor(params: ParamsOrGroups<Partial<O>>, options?: Partial<O> & StepOptions);
  /** @internal */
  constructor(schema: Schema<O>, params: ParamsOrGroups<O>, options: O & StepOptions);
  constructor(first: unknown, second: unknown, third?: unknown) {
    super();
    const isOwn = !(isObject(first) && Schema.is(first));
    const schema = (isOwn ? schemaOf(new.target) : first) as Schema<O>;
    if (!isOwn && this.update !== undefined) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `${new.target.name} has an update that would never be called: extend Optimizer itself`,
      );
    }
    const [params, given] = isOwn ? [first, second === undefined ? {} : second] : [second, third];
    const values = { ...checkOptions(given as O) };
    const defaults = schema.parse(values, schema.initial(), '', STEP_KEYS);
    const backend = isOwn ? portable : activeBackend();
    const stepOptions = parseStepOptions(values, backend.name);
    const groups = listGroups<O>(params);
    const rule = new OwnRule<O>(this, schema, () => this.#groups);
    this.#core = isOwn ? openRule(rule) : backend.open(schema.rule, schema.fields, schema.record);
    this.#schema = schema;
    const ground = { schema, backend, core: this.#core, status: this.#status };
    this.#groups = new GroupTable<O, S>(ground, defaults);
    this.#settings = new StepSettings(stepOptions, ground, (n) => this.#groups.memory.doubles(n));
    this.#stepper = new Stepper(this, this.#status, this.#groups.slots, isOwn, this.#settings);
    this.#paramGroups = readOnlyList(this.#groups.list, 'paramGroups', 'addParamGroup()');
    Object.defineProperties(this, Optimizer.#fields);
    try {
      for (const group of groups) this.addParamGroup(group);
    } catch (error) {
      this.dispose();
      throw error;
    }
    registerSteppable(this, this.#stepper);
  }

  /** What every optimizer shows: one set of accessors keeps all of them in one hidden class. */
  static readonly #fields: PropertyDescriptorMap = readOnlyFields<Optimizer>({
    defaults: [(optimizer) => optimizer.#groups.defaults, 'set its options one by one'],
    paramGroups: [(optimizer) => optimizer.#paramGroups, 'use addParamGroup()'],
    stepOptions: [(optimizer) => optimizer.#settings.options, 'set its options one by one'],
    state: [(optimizer) => optimizer.#groups.state, 'write into its arrays, or use resetState()'],
  });

  static {
    refuseWrites(Optimizer.prototype);
    refuseOptions(Optimizer.prototype, (object) =>
      #schema in object ? object.#schema.keys : undefined,
    );
  }

  /**
   * What an optimizer of a user does to one parameter that has a gradient. It runs in
   * JavaScript, whatever the backend; see docs/optimizers.md.
   */
  update?(parameter: UpdateArguments<O, S>): void;

  /**
   * Adds a group. Options that it leaves out come from `defaults`; the object is only read.
   *
   * @throws {GradstepError} As the constructor; nothing has changed then.
   */
  addParamGroup(group: ParamGroupInput<Partial<O>>): void {
    this.#groups.add(group as ParamGroupInput<O>);
  }

  /**
   * Adds parameters to a group that stands, behind those that it has.
   *
   * ```ts
   * optimizer.addParameters(optimizer.paramGroups[0], head.parameters());
   * ```
   *
   * @throws {GradstepError} `ERR_INVALID_GROUP` when that is no group of this optimizer; as
   * `addParamGroup`. Nothing has changed then.
   */
  addParameters(group: ParamGroup<O>, params: ParamsInput): void {
    addParameters(this.#groups as never, group, params);
  }

  /**
   * Gives a parameter options of its own, over those of its group: what is not named here goes on
   * following the group. A second call takes the place of the first; null takes it back.
   *
   * ```ts
   * optimizer.override(model.bias, { weightDecay: 0 });
   * ```
   *
   * @throws {GradstepError} `ERR_INVALID_PARAMETER` when it is not of this optimizer,
   * `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`, `ERR_BUSY`, `ERR_DISPOSED`; nothing has changed
   * then.
   */
  override(parameter: ParameterLike, options: Partial<O> | null): void {
    override(this.#groups as never, parameter, options);
  }

  /** The options that a parameter overrides, as they were given; undefined if none. */
  overrideOf(parameter: ParameterLike): Readonly<Partial<O>> | undefined {
    const { slots, rows } = this.#groups;
    const slot = this.#groups.slotOf(parameter);
    return rows[slots.rows[slot]!.group]!.overrides.get(parameter)?.values;
  }

  /**
   * Lets parameters go, with their state and what they override. Groups stay, also when they are
   * left empty; for all other parameters it is as if these had never been there.
   *
   * @throws {GradstepError} `ERR_INVALID_PARAMETER` when one is not of this optimizer, `ERR_BUSY`,
   * `ERR_DISPOSED`; nothing has changed then.
   */
  removeParameters(params: ParameterLike | Iterable<ParameterLike>): void {
    removeParameters(this.#groups as never, params);
  }

  /**
   * Lets a parameter take the place of another: its group, its name, what it overrides, and its
   * state, whole or, after pruning or growing, the part that `index` names. The values of `next`
   * are its own affair.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for options that do not fit, for instance
   * another length without `index`; `ERR_INVALID_PARAMETER`, `ERR_DUPLICATE_PARAMETER`,
   * `ERR_DETACHED`, `ERR_OVERLAP`, `ERR_BUSY`, `ERR_DISPOSED`; nothing has changed then.
   */
  replaceParameter(old: ParameterLike, next: ParameterLike, options: ReplaceOptions = {}): void {
    replaceParameter(this.#groups as never, old, next, options);
  }

  /**
   * Lets the state of these parameters, or of all, be as before their first step.
   *
   * @throws {GradstepError} As `removeParameters`.
   */
  resetState(params?: ParameterLike | Iterable<ParameterLike>): void {
    resetState(this.#groups as never, params);
  }

  /** Updates every parameter that has a gradient. */
  step(): undefined;
  /**
   * Calls `closure`, which computes the gradients, then updates.
   *
   * @returns What the closure returned: the loss.
   * @throws {GradstepError} `ERR_ASYNC_CLOSURE` when that is a promise, `ERR_INVALID_ARGUMENT`,
   * `ERR_DETACHED`, `ERR_INVALID_PARAMETER`, `ERR_INVALID_GRADIENT`, `ERR_OVERLAP`,
   * `ERR_OVERFLOW`, `ERR_BUSY`, `ERR_DISPOSED`; nothing has been updated then.
   */
  step<T>(closure: () => T): T;
  step<T>(closure?: () => T): T | undefined {
    if (closure === undefined) return stepAlone(this.#stepper) as undefined;
    return stepTogether([this.#stepper], [closure]) as T;
  }

  /**
   * A step on another thread, which leaves the event loop free. Hyperparameters are those of the
   * moment at which it starts: what is assigned meanwhile counts for the next one. Until it ends,
   * every call that touches parameters, state or groups is refused, and so is any optimizer's step
   * over the same memory, in any thread of the process. The portable backend, and an optimizer
   * with an `update` of its own, step at once and on this thread; a turn of the event loop passes
   * in any case.
   *
   * @param closure Computes the gradients; may be asynchronous.
   * @returns What the closure returned or resolved to.
   * @throws {GradstepError} By rejecting: as `step`, and `ERR_NOT_SHARED` unless data and gradients
   * lie on shared memory, as those of a `ParameterArena` do; the signal's reason.
   */
  async stepAsync<T = undefined>(
    closure?: () => T | Promise<T>,
    options: StepAsyncOptions = {},
  ): Promise<T> {
    const args: StepArguments = closure === undefined ? [] : [closure];
    return (await stepAsync(this.#stepper, args, options)) as T;
  }

  /** What the last step did; undefined before the first. */
  get lastStep(): LastStep | undefined {
    const { steps, parameters } = this.#stepper;
    return steps === 0 ? undefined : this.#settings.lastStep(parameters);
  }

  /**
   * Registers a function that runs before every step, as torch's `register_step_pre_hook`: after
   * the hooks of all optimizers, before the closure. It may return other arguments for the step.
   * An error that it throws ends the step before anything has changed.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no function.
   */
  registerStepPreHook(hook: StepPreHook<this>): HookHandle {
    return this.#stepper.hooks.pre.add(hook as StepPreHook<never>);
  }

  /**
   * Registers a function that runs after every step, as torch's `register_step_post_hook`: before
   * the hooks of all optimizers. An error that it throws leaves the step done.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no function.
   */
  registerStepPostHook(hook: StepPostHook<this>): HookHandle {
    return this.#stepper.hooks.post.add(hook as StepPostHook<never>);
  }

  /**
   * Forgets all gradients: drops them, so that steps skip the parameter until it has one again; or
   * fills them with zeros in place, which is the default for those of a `ParameterArena`.
   *
   * @throws {GradstepError} `ERR_INVALID_GRADIENT`, `ERR_DETACHED`; nothing has changed then.
   */
  zeroGrad(options: ZeroGradOptions = {}): void {
    zeroGrads([this.#stepper], options);
  }

  /** @internal */
  protected override writeDict(copy: boolean): OptimizerStateDict {
    return writeOptimizer({ table: this.#groups as never, settings: this.#settings }, copy);
  }

  /** @internal */
  protected override prepareDict(dict: unknown, options: Required<LoadStateDictOptions>): OwnLoad {
    const savable = { table: this.#groups as never, settings: this.#settings };
    return prepareOptimizer(savable, dict, options);
  }

  /**
   * Frees the native memory and the state now; every later call is an `ERR_DISPOSED`. An array of
   * `state` that you hold stays yours, with its values. Safe to call twice.
   */
  dispose(): void {
    if (this.#status.disposed) return;
    this.#status.require('dispose', 'idle', 'caller');
    this.#status.enter('disposed');
    this.#core.dispose();
    this.#groups.release();
  }

  /** `using optimizer = new Adam(…)` disposes of it at the end of the block. */
  [disposeSymbol](): void {
    this.dispose();
  }

  /** As torch prints it: every group with its options, sorted. */
  override toString(): string {
    return printOptimizer(this.#schema.name, this.#groups.list);
  }

  /** What `console.log` shows in Node.js. */
  [inspectCustom](): string {
    return this.toString();
  }
}
