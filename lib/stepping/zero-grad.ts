/** Forgetting gradients: of one optimizer's parameters, or of several optimizers' at once. */

import { wholeLines } from '../memory/slab.ts';
import type { ArenaSlot } from '../parameters/arena-parameter.ts';
import { isShardGrad } from '../parameters/arena-shard.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import type { Status } from '../slots/status.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isObject } from '../support/iterables.ts';
import { ownProperties } from '../support/own-properties.ts';
import { type Floats, fillZero } from '../support/typed-arrays.ts';

/** Options of `zeroGrad`. */
export interface ZeroGradOptions {
  /**
   * Drop the gradients, or fill them with zeros in place. Default: drop them, but for those of
   * arenas (and of their shards), which stay: who fills `arena.grad` then fills what is stepped.
   */
  readonly setToNone?: boolean;
}

interface Row {
  readonly parameter: ParameterLike;
  readonly label: string;
  readonly grad: Floats | null;
  readonly length: number;
  readonly place: ArenaSlot | undefined;
}

/** What this needs of a `SlotTable`. */
interface Table {
  readonly rows: readonly Row[];
  refresh(frozenToo: boolean): void;
  refreshArenas(): void;
  verify(): void;
  verifyOverlap(writing: boolean): void;
}

/** @throws {GradstepError} `ERR_INVALID_ARGUMENT`. */
function readSetToNone(options: ZeroGradOptions): boolean | undefined {
  const { setToNone, ...others } = ownProperties(options);
  const unknown = isObject(options) ? Object.keys(others)[0] : describe(options);
  if ((setToNone === undefined || typeof setToNone === 'boolean') && unknown === undefined)
    return setToNone;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected { setToNone: true or false } but received ${unknown ?? describe(setToNone)}`,
  );
}

/**
 * Drops every gradient of these optimizers, or fills it with zeros; checks all of them first.
 * @throws {GradstepError} `ERR_BUSY` and what `zeroGrad` says.
 */
export function zeroGrads(
  optimizers: readonly { readonly status: Status; readonly slots: Table }[],
  options: ZeroGradOptions,
): void {
  for (const { status } of optimizers) status.require('zeroGrad', 'idle', 'caller');
  const setToNone = readSetToNone(options);
  const before = optimizers.map(({ status }) => status.enter('zeroing')); // users' getters run
  try {
    zeroTables(
      optimizers.map(({ slots }) => slots),
      setToNone,
    );
  } finally {
    for (const [i, { status }] of optimizers.entries()) status.enter(before[i]!);
  }
}

function zeroTables(tables: readonly Table[], setToNone: boolean | undefined): void {
  if (setToNone !== false) {
    forgetGrads(tables, setToNone === undefined);
    return;
  }
  for (const table of tables) table.refresh(true);
  for (const table of tables) table.verify();
  for (const table of tables) table.verifyOverlap(true);
  for (const { rows } of tables) {
    for (const { grad, length } of rows) if (grad !== null) fillZero(grad, 0, length);
  }
}

/** Drops gradients; those of arenas become zeros where they are, if `keeps` says so. */
function forgetGrads(tables: readonly Table[], keeps: boolean): void {
  const dropped: Dropped[] = [];
  const kept = new Spans();
  for (const table of tables) {
    const before = kept.count;
    for (const row of table.rows) {
      const grad = row.parameter.grad ?? null;
      if (grad === null) continue;
      if (!keeps || !kept.take(row, grad)) dropped.push({ row, grad });
    }
    if (kept.count === before) continue;
    table.refreshArenas();
    table.verifyOverlap(true);
  }
  dropAll(dropped);
  kept.fill();
}

/** Parts of arenas' gradients, which nobody can take away; neighbours are one. */
class Spans {
  count = 0;
  readonly #list: { readonly grads: Floats; readonly begin: number; end: number }[] = [];

  /** Takes a gradient in, if it is an arena's or a shard's. */
  take({ parameter, place, length }: Row, grad: Floats): boolean {
    const isWhole = place === undefined && isShardGrad(parameter, grad);
    if (!isWhole && (place === undefined || place.grad !== grad)) return false;
    this.count += 1;
    const [grads, begin] = place === undefined ? [grad, 0] : [place.grads, place.begin];
    const last = this.#list.at(-1);
    // Between them is padding, which is nobody's.
    if (last?.grads === grads && wholeLines(last.end) === begin) last.end = begin + length;
    else this.#list.push({ grads, begin, end: begin + length });
    return true;
  }

  fill(): void {
    for (const { grads, begin, end } of this.#list) fillZero(grads, begin, end);
  }
}

interface Dropped {
  readonly row: Row;
  readonly grad: Floats;
}

function dropAll(list: readonly Dropped[]): void {
  let at = 0;
  try {
    for (; at < list.length; at++) list[at]!.row.parameter.grad = null;
  } catch (cause) {
    const { label } = list[at]!.row;
    while (at-- > 0) list[at]!.row.parameter.grad = list[at]!.grad;
    throw new GradstepError(
      'ERR_INVALID_GRADIENT',
      `grad of parameter ${label} cannot be set to null; use zeroGrad({ setToNone: false })`,
      { cause },
    );
  }
}
