/** The gradients of parameters as functions without an optimizer see them: read once, and proven. */

import { piecesOf } from '../parameters/arena-shard.ts';
import { listParams } from '../parameters/list-params.ts';
import { goneSentence } from '../parameters/sentences.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isIterable, itemsOf } from '../support/iterables.ts';
import {
  bufferOf,
  type Doubles,
  type Floats,
  isFloat32Array,
  isGone,
  lengthOf,
  viewOf,
} from '../support/typed-arrays.ts';

/** What torch says of a generator that was used already. */
const EMPTY = '`parameters` is an empty generator, no gradient clipping will occur. ';

/** The gradients that are there and not empty, in the order of their parameters. */
export interface GradList {
  readonly grads: readonly Floats[];
  /** What errors call their parameters. */
  readonly labels: readonly string[];
}

/**
 * Reads parameters, given as optimizers take them, and their gradients. All getters and iterators
 * of users run in here; whoever calls a backend at once afterwards can rely on every array.
 *
 * @throws {GradstepError} `ERR_INVALID_PARAMETER`, `ERR_INVALID_GRADIENT`, `ERR_DETACHED`,
 * `ERR_NAMES`.
 */
export function listGrads(input: unknown): GradList {
  const isList = isIterable(input) && !ArrayBuffer.isView(input);
  const items = isList ? itemsOf(input, 'params', '', EMPTY) : input;
  const { params, data, labels } = listParams(items, undefined, '');
  const lengths = data.map(lengthOf);
  const given = params.map(({ grad }) => grad ?? null);
  const list: { grads: Floats[]; labels: string[] } = { grads: [], labels: [] };
  // From here on no code of a user runs.
  for (let i = 0; i < given.length; i++) {
    const grad = given[i]!;
    if (grad === null) continue;
    const label = labels[i] === undefined ? `at index ${i}` : `'${labels[i]}'`;
    check(grad, lengths[i]!, label);
    if (lengths[i] === 0) continue;
    for (const piece of withoutPadding(grad, piecesOf(params[i]!, data[i]!))) {
      list.grads.push(piece);
      list.labels.push(label);
    }
  }
  return list;
}

/** The parts of a gradient that are not padding. */
function withoutPadding(grad: Floats, pieces: Doubles | undefined): Floats[] {
  if (pieces === undefined) return [grad];
  return Array.from({ length: pieces.length / 2 }, (_, i) =>
    viewOf(grad, pieces[2 * i]!, pieces[2 * i + 1]! - pieces[2 * i]!),
  );
}

function check(grad: unknown, length: number, label: string): void {
  if (isFloat32Array(grad)) {
    bufferOf(grad); // moves a tiny array to where it stays
    if (isGone(grad)) throw new GradstepError('ERR_DETACHED', goneSentence('grad', label));
    if (lengthOf(grad) === length) return;
  }
  const size = isFloat32Array(grad) ? ` of length ${length}` : '';
  throw new GradstepError(
    'ERR_INVALID_GRADIENT',
    `Expected grad of parameter ${label} to be a Float32Array${size} ` +
      `but received ${describe(grad)}`,
  );
}
