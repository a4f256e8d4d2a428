/** What EMA and SWA have in common. */

import { averagedOf, callsOf, type Pace } from '../backend/portable/rules/average.ts';
import type { AnyOptimizer } from '../combine/combine.ts';
import { checkOptions } from '../groups/group-input.ts';
import type { Schema } from '../options/schema.ts';
import { isObject, type ParamsInput } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { HasStateDict, type OwnLoad } from '../state-dict/has-state-dict.ts';
import type { LoadStateDictOptions } from '../state-dict/stateful.ts';
import type { Follower } from '../stepping/members.ts';
import { type Steppable, steppableOf } from '../stepping/stepping.ts';
import { describe, inspectCustom } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ownProperties } from '../support/own-properties.ts';
import type { Floats } from '../support/typed-arrays.ts';
import {
  type AverageStateDict,
  prepareAverage,
  type SavedAverage,
  writeAverage,
} from './average-dict.ts';
import { listAveraged, type Rows } from './average-list.ts';
import { AverageTable } from './average-table.ts';
import type { AverageFunction } from './function-rule.ts';
import { type AverageOptions, guardFields, type PaceOptions, showFields } from './options.ts';

/** `background`: a step on another thread works on it. */
type Phase = 'idle' | 'busy' | 'background' | 'disposed';

// Node 20 has it; a browser may not.
const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol('Symbol.dispose');

/**
 * A running average of parameters, beside them. `update()` takes their present values in;
 * `swap()` puts the averages into the parameters, for an evaluation, and `restore()` puts the
 * parameters' own values back, bit for bit.
 */
export abstract class Average<
  O extends PaceOptions = PaceOptions,
> extends HasStateDict<AverageStateDict> {
  /** The parameters, in order; a frozen array. */
  declare readonly params: readonly ParameterLike[];
  /** Their names, when they were given as `[name, parameter]` pairs. */
  declare readonly paramNames: readonly string[] | undefined;
  /** The averages by parameter, and copies by buffer: live arrays, which the next update writes. */
  declare readonly averages: ReadonlyMap<ParameterLike, Floats>;

  readonly #schema: Schema<O>;
  readonly #table: AverageTable;
  /** Parameters, then buffers. */
  readonly #rows: Rows;
  #swapped = false;
  #phase: Phase = 'idle';
  /** What it is attached to. */
  #followed: Steppable | undefined;
  readonly #follower: Follower;

  protected constructor(
    schema: Schema<O>,
    params: ParamsInput,
    options: O & AverageOptions,
    avgFn?: AverageFunction,
  ) {
    super();
    const key = schema.keys.includes('decay') ? 'decay' : null;
    const { buffers, ...given } = ownProperties(checkOptions(options, key)) as AverageOptions;
    const values = schema.parse(given, schema.initial(), '', ['buffers']);
    const lists = listAveraged(params, buffers);
    const { params: list, names } = lists.averaged;
    this.#rows = lists.all;
    this.#schema = schema;
    this.#table = new AverageTable(schema, lists.all, list.length, avgFn);
    this.#table.writeOptions(values);
    this.#follower = {
      table: this.#table,
      guard: () => this.#requireOwn('step() of the optimizer that this average is attached to'),
      enter: (where) => {
        this.#phase = where === 'here' ? 'busy' : 'background';
      },
      leave: () => {
        this.#phase = 'idle';
      },
    };
    const { averages } = this.#table;
    const byParameter = new Map(this.#rows.params.map((p, i) => [p, averages[i]!]));
    showFields(this, { params: list, paramNames: names, averages: byParameter });
  }

  /**
   * How many updates have been averaged: without those that passed by (`updateEvery`) or only
   * copied (`updateAfterStep`). May be set, to go on where a saved average was.
   */
  get nAveraged(): number {
    return averagedOf(this.#table.count, this.options as Pace);
  }

  set nAveraged(count: number) {
    this.#require('setting nAveraged');
    const calls = Number.isSafeInteger(count) ? callsOf(count, this.options as Pace) : -1;
    if (!Number.isSafeInteger(calls) || calls < 0) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected nAveraged to be an integer >= 0 but received ${describe(count)}`,
      );
    }
    this.#table.setCount(calls);
  }

  /** Whether the parameters hold the averages: between `swap()` and `restore()`. */
  get swapped(): boolean {
    return this.#swapped;
  }

  /**
   * Takes the present values of all parameters in. The first update copies them. Options may let
   * an update pass by, or only copy.
   *
   * @throws {GradstepError} `ERR_SWAPPED` between `swap()` and `restore()`;
   * `ERR_INVALID_PARAMETER`, `ERR_DETACHED`, `ERR_OVERLAP`, `ERR_BUSY`, `ERR_DISPOSED`. Nothing has
   * changed then.
   */
  update(): void {
    this.#requireOwn('update()');
    this.#while(() => {
      this.#table.refresh();
      this.#table.update();
    });
  }

  /**
   * Puts the averages into the parameters, in place. The parameters' own values are kept, which
   * takes as much memory again at the first call.
   *
   * @throws {GradstepError} As `update()`, and `ERR_OUT_OF_MEMORY`; nothing has changed then.
   */
  swap(): void {
    this.#requireOwn('swap()');
    this.#while(() => this.#table.refresh());
    this.#table.putAverages();
    this.#swapped = true;
  }

  /**
   * Puts back the values that the parameters had before `swap()`, bit for bit; what was written
   * into them since is lost.
   *
   * @throws {GradstepError} `ERR_SWAPPED` without `swap()` before it; else as `update()`. Nothing
   * has changed then.
   */
  restore(): void {
    this.#require('restore()');
    if (!this.#swapped) {
      throw new GradstepError('ERR_SWAPPED', 'restore() was called without swap() before it');
    }
    this.#while(() => this.#table.refresh());
    this.#table.putKept();
    this.#swapped = false;
  }

  /**
   * From now on every step of this optimizer that succeeds and is not skipped ends with an
   * `update()`, before its post hooks run and before `stepAll` or `combine` step the next optimizer;
   * the bits are those of calls one after the other. An average of combined optimizers is updated
   * when the last of them has been stepped, if any has moved, and only by steps of the combination.
   * On the native backend it goes along in the step's own pass over memory where it has all
   * parameters of the optimizer that have a gradient, and only those. Between `swap()` and
   * `restore()` the optimizer refuses to step, as it does where an update would fail. As long as it
   * is attached, the optimizer keeps it.
   *
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what is no optimizer, or if this average is
   * attached already; `ERR_BUSY` in the middle of a step; `ERR_DISPOSED`.
   */
  attach(optimizer: AnyOptimizer): this {
    this.#require('attach()');
    const steppable = isObject(optimizer) ? steppableOf(optimizer) : undefined;
    if (steppable === undefined) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected attach() to be given an optimizer but received ${describe(optimizer)}`,
      );
    }
    if (this.#followed !== undefined) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        'This average is attached to an optimizer already; call detach() first',
      );
    }
    steppable.attach(this.#follower, 'attach() of an average');
    this.#followed = steppable;
    return this;
  }

  /**
   * Ends what `attach()` began; without it nothing happens.
   * @throws {GradstepError} `ERR_BUSY` in the middle of a step.
   */
  detach(): void {
    this.#followed?.detach(this.#follower, 'detach() of an average');
    this.#followed = undefined;
  }

  /**
   * Detaches, restores if swapped, and frees the native memory; every later call is an
   * `ERR_DISPOSED`. Safe to call twice.
   */
  dispose(): void {
    if (this.#phase === 'disposed') return;
    this.#require('dispose()');
    this.#followed?.requireDetachable('dispose() of an average');
    if (this.#swapped) this.restore();
    this.detach();
    this.#phase = 'disposed';
    this.#table.dispose();
  }

  /** `using ema = new EMA(…)` disposes of it at the end of the block. */
  [disposeSymbol](): void {
    this.dispose();
  }

  override toString(): string {
    const options = Object.entries(this.#schema.read(this.#table.struct));
    const shown = [
      `${this.params.length} parameters`,
      ...options.map(([key, value]) => `${key}: ${value}`),
      `nAveraged: ${this.nAveraged}`,
      ...(this.#swapped ? ['swapped'] : []),
    ];
    return `${this.#schema.name} (${shown.join(', ')})`;
  }

  /** What `console.log` shows in Node.js. */
  [inspectCustom](): string {
    return this.toString();
  }

  /** @internal */
  protected override writeDict(copy: boolean): AverageStateDict {
    return writeAverage(this.#saved('stateDict()'), copy);
  }

  /** @internal */
  protected override prepareDict(dict: unknown, options: Required<LoadStateDictOptions>): OwnLoad {
    return prepareAverage(() => this.#saved('loadStateDict()'), dict, options);
  }

  #saved(call: string): SavedAverage {
    this.#requireOwn(call);
    const { params, labels: names } = this.#rows;
    return { schema: this.#schema as never, table: this.#table, params, names };
  }

  /** The options in force. @internal */
  protected get options(): Required<O> {
    return this.#schema.read(this.#table.struct);
  }

  /** Changes options, after their checks. @internal */
  protected setOptions(changed: Partial<O>): void {
    if (this.#phase !== 'background') this.#require('setting an option'); // counts for the next
    this.#table.writeOptions(this.#schema.parse(changed, this.options, '', []));
  }

  /** What calls users' getters, or a function of theirs. */
  #while(work: () => void): void {
    this.#phase = 'busy';
    try {
      work();
    } finally {
      this.#phase = 'idle';
    }
  }

  #require(call: string): void {
    if (this.#phase === 'idle') return;
    if (this.#phase === 'background') {
      for (const { status } of this.#followed!.steppers) status.assertNotAsync(call);
    }
    const [code, state] =
      this.#phase === 'disposed'
        ? (['ERR_DISPOSED', 'This average has been disposed'] as const)
        : (['ERR_BUSY', 'This average is being updated'] as const);
    throw new GradstepError(code, `${state} (${call})`);
  }

  /** Requires that the parameters hold their own values. */
  #requireOwn(call: string): void {
    this.#require(call);
    if (!this.#swapped) return;
    throw new GradstepError(
      'ERR_SWAPPED',
      `${call} was called while the parameters hold the averages; call restore() first`,
    );
  }
}

guardFields(Average.prototype);
