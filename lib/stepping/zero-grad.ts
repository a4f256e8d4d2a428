/** Forgetting gradients: of one optimizer's parameters, or of several optimizers' at once. */

import { isObject } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import type { Phases } from '../slots/phases.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { type Floats, fillZero } from '../support/typed-arrays.ts';

/** Options of `zeroGrad`. */
export interface ZeroGradOptions {
  /** Drop the gradients (the default) instead of filling them with zeros. */
  readonly setToNone?: boolean;
}

interface Row {
  readonly parameter: ParameterLike;
  readonly label: string;
  readonly grad: Floats | null;
  readonly length: number;
}

/** What this needs of a `SlotTable`. */
interface Table {
  readonly rows: readonly Row[];
  refresh(frozenToo: boolean): void;
  verify(): void;
  verifyOverlap(writing: boolean): void;
}

/** @throws {GradstepError} `ERR_INVALID_ARGUMENT`. */
function readSetToNone(options: ZeroGradOptions): boolean {
  const { setToNone = true, ...others } = { ...options };
  const unknown = isObject(options) ? Object.keys(others)[0] : describe(options);
  if (typeof setToNone === 'boolean' && unknown === undefined) return setToNone;
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
  optimizers: readonly { readonly phases: Phases; readonly slots: Table }[],
  options: ZeroGradOptions,
): void {
  for (const { phases } of optimizers) phases.require('zeroGrad', 'idle', 'caller');
  const setToNone = readSetToNone(options);
  const before = optimizers.map(({ phases }) => phases.enter('zeroing')); // users' getters run
  try {
    zeroTables(
      optimizers.map(({ slots }) => slots),
      setToNone,
    );
  } finally {
    for (const [i, { phases }] of optimizers.entries()) phases.enter(before[i]!);
  }
}

function zeroTables(tables: readonly Table[], setToNone: boolean): void {
  if (setToNone) {
    dropGrads(tables.flatMap(({ rows }) => rows));
    return;
  }
  for (const table of tables) table.refresh(true);
  for (const table of tables) table.verify();
  for (const table of tables) table.verifyOverlap(true);
  for (const { rows } of tables) {
    for (const { grad, length } of rows) if (grad !== null) fillZero(grad, 0, length);
  }
}

function dropGrads(rows: readonly Row[]): void {
  const grads = rows.map(({ parameter }) => parameter.grad ?? null);
  let at = 0;
  try {
    for (; at < grads.length; at++) if (grads[at] !== null) rows[at]!.parameter.grad = null;
  } catch (cause) {
    const { label } = rows[at]!;
    while (at-- > 0) if (grads[at] !== null) rows[at]!.parameter.grad = grads[at]!;
    throw new GradstepError(
      'ERR_INVALID_GRADIENT',
      `grad of parameter ${label} cannot be set to null; use zeroGrad({ setToNone: false })`,
      { cause },
    );
  }
}
