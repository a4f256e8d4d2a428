/** The groups of one optimizer: their options, parameters and memory. */

import type { Backend, Core } from '../backend/backend.ts';
import type { Where } from '../options/option.ts';
import type { Schema } from '../options/schema.ts';
import { listParams, type ParamList } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { OptimizerMemory } from '../slots/optimizer-memory.ts';
import { labelOf, type Shaping } from '../slots/slot.ts';
import { SlotTable } from '../slots/slot-table.ts';
import { type StatedData, StateMap } from '../slots/state.ts';
import type { Status } from '../slots/status.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { roomForOne } from '../support/lists.ts';
import type { Doubles } from '../support/typed-arrays.ts';
import { despiteMoves } from './despite-moves.ts';
import { groupLabel, type ParamGroupInput, readGroup } from './group-input.ts';
import { Overrides, whereOverridden } from './overrides.ts';
import {
  type GroupMembers,
  type LiveOptions,
  MEMBERS,
  OptionHolder,
  type OptionOwner,
  OptionView,
  type ParamGroup,
} from './param-group.ts';

/** What a user keeps beside a group. */
type GroupNote = Pick<GroupMembers, 'name' | 'meta' | 'frozen'> & {
  readonly shapings: readonly Shaping[] | undefined;
};

/** A group as the table keeps it. */
export interface GroupRow<O extends object> {
  readonly struct: Doubles;
  /** What the rule remembers of the parameters that the group began with. */
  readonly records: Doubles;
  /** What the view shows as its `params` and `paramNames`. */
  readonly members: {
    params: readonly ParameterLike[];
    paramNames: readonly string[] | undefined;
  };
  readonly overrides: Overrides<O>;
  readonly view: ParamGroup<O>;
}

/** What groups stand on. */
export interface Ground<O extends object> {
  readonly schema: Schema<O>;
  readonly backend: Backend;
  readonly core: Core;
  readonly status: Status;
}

/** The groups of one optimizer, in order. */
export class GroupTable<O extends object, S = unknown> {
  readonly list: ParamGroup<O>[] = roomForOne();
  /** The options that new groups start from. */
  readonly defaults: LiveOptions<O>;
  readonly slots: SlotTable;
  readonly state: StateMap<S>;

  readonly rows: GroupRow<O>[] = roomForOne();
  readonly schema: Schema<O>;
  readonly status: Status;
  readonly memory: OptimizerMemory;
  readonly core: Core;
  /** The struct behind `defaults`. */
  readonly #defaults: Doubles;
  /** By struct; filled when somebody asks. */
  #views: Map<Doubles, ParamGroup<O>> | undefined;
  /** Whether parameters have names; unknown while there are none. */
  #named: boolean | undefined;

  constructor({ schema, backend, core, status }: Ground<O>, defaults: Required<O>) {
    this.schema = schema;
    this.status = status;
    this.core = core;
    this.memory = new OptimizerMemory(backend, core);
    this.slots = new SlotTable(core, backend, this.memory);
    this.#defaults = this.memory.doubles(schema.fields.length);
    this.state = new StateMap<S>(schema, this.slots, status);
    this.defaults = this.#makeDefaults(defaults);
  }

  /** The group whose options lie in this struct. */
  groupOf(struct: Doubles): ParamGroup<O> {
    this.#views ??= new Map();
    if (!this.#views.has(struct)) {
      for (const row of this.rows) this.#views.set(row.struct, row.view);
    }
    return this.#views.get(struct)!;
  }

  /** Lets `groupOf` give this for a struct. */
  show(struct: Doubles, view: object): void {
    this.#views ??= new Map();
    this.#views.set(struct, view as ParamGroup<O>);
  }

  /** What errors call a parameter that overrides options. */
  whereOf(parameter: ParameterLike): Where {
    return whereOverridden(this.slots.rows[this.slotOf(parameter)]!.label);
  }

  #makeDefaults(values: Required<O>): LiveOptions<O> {
    const schema = this.schema;
    schema.write(this.#defaults, values);
    const owner = new OptionHolder<O>(schema, this.#defaults, this.status, ' (defaults)');
    return new OptionView(owner) as unknown as LiveOptions<O>;
  }

  /** Adds a group, or throws and changes nothing. */
  add(group: ParamGroupInput<O>): void {
    this.status.require('addParamGroup', 'idle', 'caller');
    const index = this.list.length;
    const phase = this.status.enter('adding'); // generators and getters of users run now
    try {
      const given = readGroup(group, index);
      const where = groupLabel(index, given.name);
      const base = this.schema.read(this.#defaults);
      const options = this.schema.parse(given, base, where, MEMBERS);
      const { shaped, whole } = this.schema;
      const list = listParams(given.params, given.paramNames, where, { shaped, whole });
      this.checkNamed(list, where);
      const shapings = this.shapingsOf(list, index);
      this.slots.refuse(list.params);
      despiteMoves(this.slots, list, () => {
        this.slots.refuseLarge(list, index);
        this.#register(index, options, list, { ...given, shapings });
      });
      this.keepNamed(list);
    } finally {
      this.status.enter(phase);
    }
  }

  #register(index: number, options: Required<O>, list: ParamList, given: GroupNote): void {
    const before = this.memory.mark();
    try {
      const { params, names } = list;
      const struct = this.memory.doubles(this.schema.fields.length);
      this.schema.write(struct, options);
      const records = this.memory.doubles(params.length * this.schema.record.length);
      const overrides = new Overrides(this);
      const { name, meta, frozen, shapings } = given;
      const members = { params, paramNames: names, name, meta, frozen };
      const owner = new GroupOwner(this, index, struct, overrides);
      const view = new OptionView(owner, members) as unknown as ParamGroup<O>;
      const kinds = this.kindsOf(options);
      const attachState = this.allocate(this.slots.size, { data: list.data, shapings }, kinds);
      this.slots.add(list, { group: index, struct, records, frozen: frozen === true, shapings });
      attachState();
      this.rows.push({ struct, records, members, overrides, view });
      this.list.push(view);
    } catch (error) {
      this.memory.takeBack(before);
      throw error;
    }
  }

  /** The core has been disposed of: gives the memory of the state back. */
  release(): void {
    this.state.release(this.memory);
  }

  /** The slots of a group, in order. */
  slotsOf(group: number): number[] {
    return this.rows[group]!.members.params.map((parameter) => this.slotOf(parameter));
  }

  /** The options in force for a parameter. */
  optionsOf(slot: number): Required<O> {
    const { group, parameter } = this.slots.rows[slot]!;
    const { struct, overrides } = this.rows[group]!;
    return overrides.over(this.schema.read(struct), parameter);
  }

  /**
   * Allocates what slots with these options need and is missing; calling the result registers it.
   * @param slots In order.
   */
  allocateState(
    slots: readonly number[],
    optionsOf: (parameter: ParameterLike) => Required<O>,
  ): () => void {
    const kinds = slots.map((slot) => {
      return this.kindsOf(optionsOf(this.slots.rows[slot]!.parameter));
    });
    return this.allocateKinds(slots, kinds);
  }

  /** The same by the kinds of state that each slot needs, in increasing order. */
  allocateKinds(slots: readonly number[], kinds: readonly (readonly number[])[]): () => void {
    const before = this.memory.mark();
    try {
      return this.#allocateRuns(slots, kinds);
    } catch (error) {
      this.memory.takeBack(before);
      throw error;
    }
  }

  #allocateRuns(slots: readonly number[], kinds: readonly (readonly number[])[]): () => void {
    const { rows } = this.slots;
    const attach: (() => void)[] = [];
    for (let at = 0, end = 0; at < slots.length; at = end) {
      const alike = kinds[at]!.join();
      const isAlike = (i: number) => slots[i] === slots[i - 1]! + 1 && kinds[i]!.join() === alike;
      for (end = at + 1; end < slots.length && isAlike(end); ) end++;
      const data = slots.slice(at, end).map((slot) => rows[slot]!.data);
      attach.push(this.allocate(slots[at]!, { data, shapings: undefined }, kinds[at]!));
    }
    return () => {
      for (const register of attach) register();
    };
  }

  /** Which kinds of state these options call for. */
  kindsOf(options: Required<O>): number[] {
    const kinds: number[] = [];
    for (const [k, { when }] of this.schema.state.entries()) {
      if (when === undefined || options[when as keyof O]) kinds.push(k);
    }
    return kinds;
  }

  /** Memory for the state of slots from `first` on; calling the result registers it. */
  allocate(
    first: number,
    stated: StatedData,
    kinds: readonly number[],
    isNew: boolean = first >= this.slots.size,
  ): () => void {
    return this.state.allocate(kinds, first, stated, this.memory, this.core, isNew);
  }

  /** What the rule makes of the shapes of parameters, where it sees them. */
  shapingsOf(
    { shapes, labels }: Pick<ParamList, 'shapes' | 'labels'>,
    group: number,
  ): readonly Shaping[] | undefined {
    return shapes?.map((shape, i) => this.shapingOf(shape, labelOf(labels[i], i, group)));
  }

  /**
   * What the rule makes of a parameter's shape.
   * @throws {GradstepError} `ERR_INVALID_PARAMETER` where it does not take such parameters.
   */
  shapingOf(shape: readonly number[], label: string): Shaping {
    const wrong = this.schema.refuseShape?.(shape);
    if (wrong === undefined) return { shape, stateLengths: this.schema.stateLengths(shape) };
    throw new GradstepError('ERR_INVALID_PARAMETER', `${wrong}: parameter ${label}`);
  }

  /** The number of a parameter of this optimizer. */
  slotOf(parameter: unknown): number {
    const slot = this.slots.indexOf.get(parameter as ParameterLike);
    if (slot !== undefined) return slot;
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected a parameter of this optimizer but received ${describe(parameter)}`,
    );
  }

  /** Refuses parameters with names beside some without, and the other way round. */
  checkNamed({ params, names }: ParamList, where: string): void {
    const named = names !== undefined;
    if (params.length === 0 || this.#named === undefined || this.#named === named) return;
    throw new GradstepError(
      'ERR_NAMES',
      'all optimizer param groups should be with/without names. cannot add param group ' +
        `${named ? 'with names' : 'without names'} to the optimizer${where}`,
    );
  }

  /** From now on all have names, or none has. */
  keepNamed({ params, names }: ParamList): void {
    if (params.length > 0) this.#named = names !== undefined;
  }
}

/** What the view of a group stands on. */
class GroupOwner<O extends object> implements OptionOwner<O> {
  readonly struct: Doubles;
  readonly followers: Overrides<O>;
  readonly #table: GroupTable<O>;
  readonly #index: number;

  constructor(table: GroupTable<O>, index: number, struct: Doubles, overrides: Overrides<O>) {
    this.#table = table;
    this.#index = index;
    this.struct = struct;
    this.followers = overrides;
  }

  get schema(): Schema<O> {
    return this.#table.schema;
  }

  toString(): string {
    return groupLabel(this.#index, this.#table.list[this.#index]?.name);
  }

  assertLive(): void {
    this.#table.status.assertLive();
  }

  /** Memory that an option calls for comes when it is switched on, not inside a step. */
  ensureState(options: Required<O>): void {
    const table = this.#table;
    table.status.assertNotAsync('switching on an option that needs state');
    table.allocateState(table.slotsOf(this.#index), (parameter) =>
      this.followers.over(options, parameter),
    )();
  }

  freeze(frozen: boolean): void {
    this.#table.slots.freeze(this.#table.slotsOf(this.#index), frozen);
  }
}
