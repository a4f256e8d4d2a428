/** The groups of one optimizer: their options, parameters and memory. */

import type { Doubles, Floats } from './arrays.ts';
import type { Backend, Core } from './backend/backend.ts';
import { GradstepError } from './errors.ts';
import { groupLabel, type ParamGroupInput, readGroup } from './group-input.ts';
import type { Schema } from './options.ts';
import {
  type GroupMembers,
  type LiveOptions,
  MEMBERS,
  type OptionOwner,
  OptionView,
  type ParamGroup,
} from './param-group.ts';
import { listParams, type ParamList } from './params.ts';
import type { Phases } from './phases.ts';
import { SlabAllocator } from './slab.ts';
import { SlotTable } from './slots.ts';
import { StateMap } from './state.ts';

/** What a user keeps beside a group. */
type GroupNote = Pick<GroupMembers, 'name' | 'meta'>;

/** What groups stand on. */
export interface Ground<O extends object> {
  readonly schema: Schema<O>;
  readonly backend: Backend;
  readonly core: Core;
  readonly phases: Phases;
}

/** The groups of one optimizer, in order. */
export class GroupTable<O extends object, S = unknown> {
  readonly list: ParamGroup<O>[] = [];
  /** The options that new groups start from. */
  readonly defaults: LiveOptions<O>;
  readonly slots: SlotTable;
  readonly state: StateMap<S>;

  readonly #schema: Schema<O>;
  readonly #core: Core;
  readonly #phases: Phases;
  /** Structs and records: never handed out. */
  readonly #control: SlabAllocator;
  readonly #stateSlabs: SlabAllocator;
  /** The struct behind `defaults`. */
  readonly #defaults: Doubles;
  readonly #groupOf = new Map<Doubles, ParamGroup<O>>();
  /** Whether parameters have names; unknown while there are none. */
  #named: boolean | undefined;

  constructor({ schema, backend, core, phases }: Ground<O>, defaults: Required<O>) {
    const claim = (bytes: Uint8Array<ArrayBufferLike>) => core.claimState(bytes);
    this.#schema = schema;
    this.#core = core;
    this.#phases = phases;
    this.slots = new SlotTable(core, backend);
    this.#control = new SlabAllocator(backend, claim);
    this.#defaults = this.#control.float64(schema.fields.length);
    this.#stateSlabs = new SlabAllocator(backend, claim);
    this.state = new StateMap<S>(schema, this.slots, phases);
    this.defaults = this.#makeDefaults(defaults);
  }

  /** The group whose options lie in this struct. */
  groupOf(struct: Doubles): ParamGroup<O> {
    return this.#groupOf.get(struct)!;
  }

  #makeDefaults(values: Required<O>): LiveOptions<O> {
    const schema = this.#schema;
    schema.write(this.#defaults, values);
    const owner: OptionOwner<O> = {
      schema,
      struct: this.#defaults,
      toString: () => ' (defaults)',
      assertLive: () => this.#phases.assertLive(),
      ensureState() {},
    };
    return new OptionView(owner) as unknown as LiveOptions<O>;
  }

  /** Memory like that of the groups' structs, for other numbers that the core shares. */
  allocate(length: number): Doubles {
    return this.#control.float64(length);
  }

  /** Adds a group, or throws and changes nothing. */
  add(group: ParamGroupInput<O>): void {
    this.#phases.require('addParamGroup', 'idle', 'caller');
    const index = this.list.length;
    const phase = this.#phases.enter('adding'); // generators and getters of users run now
    try {
      const given = readGroup(group, index);
      const where = groupLabel(index, given.name);
      const base = this.#schema.read(this.#defaults);
      const options = this.#schema.parse(given, base, where, MEMBERS);
      const list = listParams(given.params, given.paramNames, where);
      const named = list.names !== undefined;
      if (list.params.length > 0) this.#checkNamed(named, where);
      this.slots.refuse(list, index);
      this.#register(index, options, list, given); // from here on no code of a user
      if (list.params.length > 0) this.#named = named;
    } finally {
      this.#phases.enter(phase);
    }
  }

  #register(index: number, options: Required<O>, list: ParamList, given: GroupNote): void {
    const undo = [this.#control.mark(), this.#stateSlabs.mark()];
    try {
      const { params, names } = list;
      const struct = this.#control.float64(this.#schema.fields.length);
      this.#schema.write(struct, options);
      const records = this.#control.float64(params.length * this.#schema.record.length);
      const first = this.slots.size;
      const owner = this.#owner(index, first, params.length, struct);
      const { name, meta } = given;
      const view = new OptionView(owner, { params, paramNames: names, name, meta });
      const attachState = this.#allocateState(options, first, list.data);
      this.slots.add({ ...list, group: index, struct, records });
      attachState();
      this.list.push(view as unknown as ParamGroup<O>);
      this.#groupOf.set(struct, this.list[index]!);
    } catch (error) {
      for (const takeBack of undo) takeBack();
      throw error;
    }
  }

  #owner(index: number, first: number, count: number, struct: Doubles): OptionOwner<O> {
    const schema = this.#schema;
    return {
      schema,
      struct,
      toString: () => groupLabel(index, this.list[index]?.name),
      assertLive: () => this.#phases.assertLive(),
      // Memory that an option calls for comes when it is switched on, not inside a step.
      ensureState: (options) => {
        this.#phases.assertNotAsync('switching on an option that needs state');
        const rows = this.slots.rows.slice(first, first + count);
        this.#allocateState(
          options,
          first,
          rows.map(({ data }) => data),
        )();
      },
    };
  }

  /** Allocates what these options need and is missing; calling the result registers it. */
  #allocateState(options: Required<O>, first: number, data: readonly Floats[]): () => void {
    const which = this.#schema.state.flatMap(({ when }, k) =>
      when === undefined || options[when as keyof O] ? [k] : [],
    );
    return this.state.allocate(which, first, data, this.#stateSlabs, this.#core);
  }

  #checkNamed(named: boolean, where: string): void {
    if (this.#named === undefined || this.#named === named) return;
    throw new GradstepError(
      'ERR_NAMES',
      'all optimizer param groups should be with/without names. cannot add param group ' +
        `${named ? 'with names' : 'without names'} to the optimizer${where}`,
    );
  }
}
