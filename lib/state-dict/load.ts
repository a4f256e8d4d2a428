/** Loads a state dict into an optimizer: all checks first, then all changes. */

import { refuseBusyState } from '../backend/busy-memory.ts';
import type { GroupTable } from '../groups/group-table.ts';
import { GradstepError } from '../support/errors.ts';
import { copyFloats, fillZero } from '../support/typed-arrays.ts';
import {
  type CheckedOptions,
  checkOptions,
  commitOptions,
  reserveOptions,
} from './load-options.ts';
import { listLive, type Match, match, misfit } from './match.ts';
import type { Savable } from './optimizer-dict.ts';
import { proveThere, readPlain, refuseDict, setAside } from './plain.ts';
import { type CheckedState, readState } from './read-state.ts';
import { type ReadOptimizer, readOptimizer } from './saved.ts';
import type { LoadReport, LoadStateDictOptions, PendingLoad } from './stateful.ts';

type Table = GroupTable<object>;
type LoadOptions = Required<LoadStateDictOptions>;

/** A parameter with what it will remember. */
interface Arrival {
  readonly slot: number;
  readonly state: CheckedState;
}

/**
 * The first half of a load: everything that reads users' objects.
 * @throws {GradstepError} What is wrong with the dict; nothing has changed.
 */
export function prepareOptimizer(
  optimizer: Savable,
  dict: unknown,
  options: LoadOptions,
): Omit<PendingLoad, 'finish'> {
  const { status } = optimizer.table;
  status.require('loadStateDict', 'idle', 'caller');
  const phase = status.enter('dict'); // getters of users run now
  try {
    return new OptimizerLoad(optimizer, readOptimizer(readPlain(dict, 'the state dict')), options);
  } finally {
    status.enter(phase);
  }
}

class OptimizerLoad implements Omit<PendingLoad, 'finish'> {
  readonly #optimizer: Savable;
  readonly #report: LoadReport;
  readonly #options: CheckedOptions | undefined;
  readonly #arrivals: readonly Arrival[];
  /** The parameters that were there when this was checked. */
  readonly #before: { readonly rows: readonly unknown[]; readonly size: number };
  /** By slot: the kinds of state that it needs from now on. */
  #needs: ReadonlyMap<number, readonly number[]> = new Map();
  #attach: () => void = () => {};

  constructor(optimizer: Savable, saved: ReadOptimizer, options: LoadOptions) {
    const { table } = optimizer;
    const { strict } = options;
    if (strict) refuseType(table.schema.name, saved.type);
    const found = match(listLive(table), saved, options);
    const loads = options.options === 'load';
    this.#options = loads ? checkOptions(optimizer, saved, found, strict) : undefined;
    const { arrivals, mismatched } = admit(table, saved, found, strict);
    const unexpected = [...found.unexpected, ...(this.#options?.unexpected ?? [])];
    this.#optimizer = optimizer;
    this.#arrivals = arrivals;
    this.#report = { missing: found.missing, unexpected, mismatched };
    this.#before = { rows: table.slots.rows, size: table.slots.size };
  }

  reserve(): void {
    const { table } = this.#optimizer;
    table.status.require('loadStateDict', 'idle', 'caller');
    const { rows, size } = this.#before;
    if (table.slots.rows !== rows || table.slots.size !== size) {
      throw new GradstepError('ERR_BUSY', 'Parameters came or went while a state dict was loaded');
    }
    this.#needs = this.#findNeeds();
    for (const { state } of this.#arrivals) proveThere(state.arrays, 'the state dict');
    refuseBusyState(() => this.#arrivals.flatMap(({ slot }) => table.state.arraysOf(slot)));
    const before = table.memory.mark();
    try {
      for (const { state } of this.#arrivals) setAside(state.arrays);
      if (this.#options) reserveOptions(table, this.#options);
      this.#attach = table.allocateKinds([...this.#needs.keys()], [...this.#needs.values()]);
    } catch (error) {
      table.memory.takeBack(before);
      throw error;
    }
  }

  /** In the order of slots. A user's own option may run code here. */
  #findNeeds(): Map<number, readonly number[]> {
    const { table } = this.#optimizer;
    const inForce = new Map(this.#options?.params.map((one) => [one.slot, one.inForce]));
    const coming = new Map(this.#arrivals.map(({ slot, state }) => [slot, state.arrays]));
    const slots = [...new Set([...inForce.keys(), ...coming.keys()])].sort((a, b) => a - b);
    return new Map(
      slots.map((slot) => {
        const kinds = table.kindsOf(inForce.get(slot) ?? table.optionsOf(slot));
        for (const [k, array] of coming.get(slot)?.entries() ?? []) {
          if (array !== undefined && !kinds.includes(k)) kinds.push(k);
        }
        return [slot, kinds.sort((a, b) => a - b)];
      }),
    );
  }

  commit(): LoadReport {
    const { table } = this.#optimizer;
    if (this.#options) commitOptions(this.#optimizer, this.#options);
    this.#attach();
    for (const { slot, state } of this.#arrivals) write(table, slot, state, this.#needs.get(slot)!);
    const [first] = table.slots.rows;
    if (first !== undefined) {
      const { struct, overrides } = table.rows[first.group]!;
      // The core may have read the old records: one slot that is set makes it look at all.
      table.slots.setSlot(0, overrides.get(first.parameter)?.struct ?? struct, first.record);
    }
    return this.#report;
  }
}

function refuseType(here: string, there: string | undefined): void {
  if (there === undefined || there === here) return;
  refuseDict(
    `Expected the state dict of ${here} but received that of ${there}; strict: false loads what ` +
      'both have',
  );
}

/** What arrives at each parameter, and what does not fit. */
function admit(
  { schema }: Table,
  { groups }: ReadOptimizer,
  { pairs }: Match,
  strict: boolean,
): { readonly arrivals: readonly Arrival[]; readonly mismatched: readonly string[] } {
  const arrivals: Arrival[] = [];
  const mismatched: string[] = [];
  const initial = schema.initial();
  for (const { live, saved } of pairs) {
    const options = { ...initial, ...groups[saved.group]!.options, ...saved.overrides };
    const required = schema.state.flatMap(({ when }, k) =>
      when === undefined || Reflect.get(options, when) ? [k] : [],
    );
    const state = misfit(live, saved) ?? readState(schema, live, saved.state, required);
    if (typeof state !== 'string') arrivals.push({ slot: live.slot, state });
    else if (strict) refuseDict(state);
    else mismatched.push(state);
  }
  return { arrivals, mismatched };
}

/** A parameter remembers this from now on. */
function write(
  { slots, state }: Table,
  slot: number,
  { record, arrays }: CheckedState,
  kinds: readonly number[],
): void {
  state.keep(slot, kinds);
  for (const [k, target] of state.arraysOf(slot).entries()) {
    if (target === undefined) continue;
    const source = arrays[k];
    if (source === undefined) fillZero(target);
    else copyFloats(target, source);
  }
  slots.rows[slot]!.record.set(record);
}
