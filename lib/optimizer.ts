/** The base class of all optimizers: groups, state, `step()`, `zeroGrad()`. */

import { type Doubles, lengthOf } from './arrays.ts';
import { activeBackend } from './backend/active.ts';
import type { Core } from './backend/backend.ts';
import { lossOf } from './closure.ts';
import { describe, inspectCustom } from './describe.ts';
import { GradstepError } from './errors.ts';
import {
  checkOptions,
  groupLabel,
  listGroups,
  type ParamGroupInput,
  type ParamsOrGroups,
  readGroup,
} from './group-input.ts';
import { Schema } from './options.ts';
import {
  type GroupMembers,
  type LiveOptions,
  MEMBERS,
  type OptionOwner,
  OptionView,
  type ParamGroup,
} from './param-group.ts';
import { isObject, listParams, type ParamList } from './params.ts';
import { readOnlyList } from './read-only-list.ts';
import { SlabAllocator } from './slab.ts';
import { SlotTable } from './slots.ts';
import { StateMap } from './state.ts';

/** Options of `zeroGrad`. */
export interface ZeroGradOptions {
  /** Drop the gradients (the default) instead of filling them with zeros. */
  readonly setToNone?: boolean;
}

// Node 20 has it; a browser may not.
const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol('Symbol.dispose');

type Phase = 'idle' | 'closure' | 'step' | 'adding' | 'disposed';

/** What a user keeps beside a group. */
type GroupNote = Pick<GroupMembers, 'name' | 'meta'>;

/**
 * An optimizer over parameter groups, as `torch.optim.Optimizer`.
 *
 * @typeParam O The options that a group may set.
 * @typeParam S The state of one parameter.
 */
export abstract class Optimizer<O extends object = object, S = unknown> {
  /** The options that new groups start from; assigning to one changes groups added later. */
  readonly defaults: LiveOptions<O>;
  /** The groups, in order: a read-only list of live objects. */
  readonly paramGroups: readonly ParamGroup<O>[];
  /** State by parameter; empty for a parameter that was not stepped yet. */
  readonly state: StateMap<S>;

  readonly #schema: Schema<O>;
  readonly #core: Core;
  readonly #slots: SlotTable;
  readonly #groups: ParamGroup<O>[] = [];
  /** Structs and step counts: never handed out. */
  readonly #control: SlabAllocator;
  readonly #stateSlabs: SlabAllocator;
  /** The struct behind `defaults`. */
  readonly #defaults: Doubles;
  /** Whether parameters have names; unknown while there are none. */
  #named: boolean | undefined;
  #phase: Phase = 'idle';

  protected constructor(schema: Schema<O>, params: ParamsOrGroups<O>, options: O) {
    if (!isObject(schema) || !Schema.is(schema)) {
      throw new GradstepError('ERR_INVALID_ARGUMENT', 'Optimizer is made through its subclasses');
    }
    const defaults = schema.parse(checkOptions(options), schema.initial(), '', []);
    const groups = listGroups<O>(params);
    const backend = activeBackend();
    const core = backend.open(schema.rule, schema.fields, schema.record);
    this.#schema = schema;
    this.#core = core;
    this.#slots = new SlotTable(core);
    this.#control = new SlabAllocator(backend.residue, (bytes) => core.claimState(bytes));
    this.#defaults = this.#control.float64(schema.fields.length);
    this.#stateSlabs = new SlabAllocator(backend.residue, (bytes) => core.claimState(bytes));
    this.state = new StateMap<S>(schema, this.#slots);
    this.paramGroups = readOnlyList(this.#groups, 'paramGroups', 'addParamGroup()');
    this.defaults = this.#makeDefaults(defaults);
    try {
      for (const group of groups) this.addParamGroup(group);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #makeDefaults(values: Required<O>): LiveOptions<O> {
    const schema = this.#schema;
    schema.write(this.#defaults, values);
    const owner: OptionOwner<O> = {
      schema,
      struct: this.#defaults,
      toString: () => ' (defaults)',
      assertLive: () => this.#assertLive(),
      ensureState() {},
    };
    return new OptionView(owner) as unknown as LiveOptions<O>;
  }

  /**
   * Adds a group. Options that it leaves out come from `defaults`; the object is only read.
   *
   * @throws {GradstepError} As the constructor; nothing has changed then.
   */
  addParamGroup(group: ParamGroupInput<O>): void {
    this.#require('addParamGroup', 'idle', 'closure');
    const phase = this.#phase;
    const index = this.#groups.length;
    this.#phase = 'adding'; // generators and getters of users run now
    try {
      const given = readGroup(group, index);
      const where = groupLabel(index, given.name);
      const base = this.#schema.read(this.#defaults);
      const options = this.#schema.parse(given, base, where, MEMBERS);
      const list = listParams(given.params, given.paramNames, where);
      const named = list.names !== undefined;
      if (list.params.length > 0) this.#checkNamed(named, where);
      this.#slots.refuse(list, index);
      this.#addGroup(index, options, list, given); // from here on no code of a user
      if (list.params.length > 0) this.#named = named;
    } finally {
      this.#phase = phase;
    }
  }

  #addGroup(index: number, options: Required<O>, list: ParamList, given: GroupNote): void {
    const undo = [this.#control.mark(), this.#stateSlabs.mark()];
    try {
      const { params, names } = list;
      const struct = this.#control.float64(this.#schema.fields.length);
      this.#schema.write(struct, options);
      const records = this.#control.float64(params.length * this.#schema.record.length);
      const first = this.#slots.size;
      const owner = this.#groupOwner(index, first, params.length, struct);
      const { name, meta } = given;
      const view = new OptionView(owner, { params, paramNames: names, name, meta });
      const attachState = this.#allocateState(options, first, list.data.map(lengthOf));
      this.#slots.add({ ...list, group: index, struct, records });
      attachState();
      this.#groups.push(view as unknown as ParamGroup<O>);
    } catch (error) {
      for (const takeBack of undo) takeBack();
      throw error;
    }
  }

  #groupOwner(
    index: number,
    first: number,
    count: number,
    struct: Float64Array<ArrayBufferLike>,
  ): OptionOwner<O> {
    const schema = this.#schema;
    return {
      schema,
      struct,
      toString: () => groupLabel(index, this.#groups[index]?.name),
      assertLive: () => this.#assertLive(),
      // Memory that an option calls for comes when it is switched on, not inside a step.
      ensureState: (options) => {
        const lengths = Array.from({ length: count }, (_, i) => this.#slots.lengthOf(first + i));
        this.#allocateState(options, first, lengths)();
      },
    };
  }

  /** Allocates what these options need and is missing; calling the result registers it. */
  #allocateState(options: Required<O>, first: number, lengths: readonly number[]): () => void {
    const which = this.#schema.state.flatMap(({ when }, k) =>
      when === undefined || options[when as keyof O] ? [k] : [],
    );
    return this.state.allocate(which, first, lengths, this.#stateSlabs, this.#core);
  }

  #checkNamed(named: boolean, where: string): void {
    if (this.#named === undefined || this.#named === named) return;
    throw new GradstepError(
      'ERR_NAMES',
      'all optimizer param groups should be with/without names. cannot add param group ' +
        `${named ? 'with names' : 'without names'} to the optimizer${where}`,
    );
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
    this.#require('step', 'idle');
    const loss = closure === undefined ? undefined : this.#callClosure(closure);
    this.#phase = 'step';
    try {
      this.#slots.step();
    } finally {
      this.#phase = 'idle';
    }
    return loss;
  }

  #callClosure<T>(closure: () => T): T {
    this.#phase = 'closure';
    try {
      const loss = lossOf(closure);
      this.#require('step', 'closure'); // the closure may have disposed of the optimizer
      return loss;
    } finally {
      if (this.#phase === 'closure') this.#phase = 'idle';
    }
  }

  /**
   * Forgets all gradients: drops them, or fills them with zeros in place.
   *
   * @throws {GradstepError} `ERR_INVALID_GRADIENT`, `ERR_DETACHED`; nothing has changed then.
   */
  zeroGrad(options: ZeroGradOptions = {}): void {
    this.#require('zeroGrad', 'idle', 'closure');
    const { setToNone = true, ...others } = { ...options };
    const unknown = isObject(options) ? Object.keys(others)[0] : describe(options);
    if (typeof setToNone !== 'boolean' || unknown !== undefined) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected { setToNone: true or false } but received ${unknown ?? describe(setToNone)}`,
      );
    }
    this.#slots.zeroGrads(setToNone);
  }

  /** Frees the native memory now; every later call is an `ERR_DISPOSED`. Safe to call twice. */
  dispose(): void {
    if (this.#phase === 'disposed') return;
    this.#require('dispose', 'idle', 'closure');
    this.#phase = 'disposed';
    this.#core.dispose();
  }

  /** `using optimizer = new Adam(…)` disposes of it at the end of the block. */
  [disposeSymbol](): void {
    this.dispose();
  }

  /** As torch prints it: every group with its options, sorted. */
  toString(): string {
    const lines = this.#groups.map((group, i) => {
      const title = group.name === undefined ? `${i}` : `${i} ('${group.name}')`;
      const keys = [...this.#schema.keys].sort();
      const options = keys.map((key) => `    ${key}: ${print(group[key as keyof typeof group])}`);
      return [`Parameter Group ${title}`, ...options].join('\n');
    });
    return [`${this.#schema.name} (`, ...lines, ')'].join('\n');
  }

  /** What `console.log` shows in Node.js. */
  [inspectCustom](): string {
    return this.toString();
  }

  #require(call: string, ...allowed: Phase[]): void {
    if (allowed.includes(this.#phase)) return;
    if (this.#phase === 'disposed') {
      throw new GradstepError('ERR_DISPOSED', `This optimizer has been disposed (${call})`);
    }
    const inside = this.#phase === 'adding' ? 'addParamGroup' : 'a step';
    throw new GradstepError(
      'ERR_BUSY',
      `${call} was called inside ${inside} of the same optimizer`,
    );
  }

  #assertLive(): void {
    if (this.#phase === 'disposed') this.#require('setting an option', 'idle');
  }
}

function print(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}
