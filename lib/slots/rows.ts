/** Rows of slots: how they are made, what a core is told of them, and what all of them go through. */

import type { Core } from '../backend/backend.ts';
import { piecesOf } from '../parameters/arena-shard.ts';
import type { ParamList } from '../parameters/list-params.ts';
import { unsharedSentence } from '../parameters/sentences.ts';
import { GradstepError } from '../support/errors.ts';
import { bufferOf, type Doubles, fillZero, isGone, isShared } from '../support/typed-arrays.ts';
import { type Shaping, Slot } from './slot.ts';

/** What the slots of a new group have in common. */
export interface NewGroup {
  readonly group: number;
  readonly struct: Doubles;
  /** What the rule remembers of each; first its step count. */
  readonly records: Doubles;
  readonly frozen: boolean;
  /** By parameter, where the rule sees shapes. */
  readonly shapings?: readonly Shaping[] | undefined;
}

/** @param index The number of the first in its group. */
export function makeRows(
  { params, data, labels }: Pick<ParamList, 'params' | 'data' | 'labels'>,
  { group, records, frozen, shapings }: Omit<NewGroup, 'struct'>,
  index: number,
): Slot[] {
  const together = { group, records, recordSize: records.length / data.length, frozen };
  return data.map((array, i) => {
    bufferOf(array); // moves a tiny array to where it stays
    return new Slot(params[i]!, array, labels[i], index + i, together, i, shapings?.[i]);
  });
}

/** Tells a core what else there is to a slot: the pieces of its gradient that count, its shape. */
export function describeRow(core: Core, slot: number, row: Slot): void {
  const { parameter, data, shaping, length } = row;
  const pieces = piecesOf(parameter, data);
  if (pieces !== undefined) core.setPieces(slot, pieces);
  if (shaping === undefined || shaping.shape.length < 2 || length === 0) return;
  core.setShape(slot, shaping.shape.at(-2)!, shaping.shape.at(-1)!);
}

/** Parameters of arenas own their last cache line; from the slot `first` on. */
export function ownLines(core: Core, slots: readonly Slot[], first: number): void {
  for (let begin = first, end = first; begin < slots.length; begin = ++end) {
    while (slots[end]?.place !== undefined) end++;
    if (end > begin) core.ownLines(begin, end);
  }
}

/** By index, as what follows: an iterator may be a user's. @throws {GradstepError} `ERR_NOT_SHARED`. */
export function verifyShared(slots: readonly Slot[]): void {
  for (let i = 0; i < slots.length; i++) {
    const { data, grad, label, place } = slots[i]!;
    if (grad === null || place !== undefined) continue;
    const field = !isShared(bufferOf(data)) ? 'data' : !isShared(bufferOf(grad)) ? 'grad' : '';
    if (field) throw new GradstepError('ERR_NOT_SHARED', unsharedSentence(field, label));
  }
}

/** Zeros in every gradient that is still there. */
export function zeroGrads(slots: readonly Slot[]): void {
  for (let i = 0; i < slots.length; i++) {
    const { grad, length } = slots[i]!;
    if (grad !== null && !isGone(grad)) fillZero(grad, 0, length);
  }
}
