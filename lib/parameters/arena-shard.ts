/** Parts of arenas, for threads that divide a model among themselves. */

import { wholeLines } from '../memory/slab.ts';
import { stamps } from '../support/stamps.ts';
import { type Doubles, type Floats, lengthOf, viewOf } from '../support/typed-arrays.ts';

/** A part of an arena, as a parameter that an optimizer takes. */
export interface ArenaShard {
  readonly name: string;
  readonly data: Floats;
  grad: Floats | null;
}

/** What shards are cut from. */
interface Arena {
  readonly data: Floats;
  readonly grad: Floats;
  /** Of its parameters; each begins on a cache line. */
  readonly lengths: readonly number[];
}

/** What is known of a shard, whatever its properties say later. */
interface Known {
  readonly data: Floats;
  readonly grad: Floats;
  readonly pieces: Doubles;
}

const shards = stamps<Known>();

/** The part from one place to another, in floats. */
export function makeShard(arena: Arena, from: number, to: number, name: string): ArenaShard {
  const data = viewOf(arena.data, from, to - from);
  const grad = viewOf(arena.grad, from, to - from);
  const shard = { name, data, grad };
  shards.set(shard, { data, grad, pieces: piecesBetween(arena.lengths, from, to) });
  return shard;
}

/** Lets an arena itself, which looks like one large parameter, be known as all of its pieces. */
export function knowWhole(whole: object, { data, grad, lengths }: Arena): void {
  shards.set(whole, { data, grad, pieces: piecesBetween(lengths, 0, lengthOf(data)) });
}

function piecesBetween(lengths: readonly number[], from: number, to: number): Doubles {
  const pieces: number[] = [];
  let begin = 0;
  for (const length of lengths) {
    const [first, end] = [Math.max(begin, from), Math.min(begin + length, to)];
    if (first < end) pieces.push(first - from, end - from);
    begin += wholeLines(length);
  }
  return Float64Array.from(pieces);
}

/**
 * Where the parameters' pieces in a shard with this data begin and end, in floats: what lies
 * between them is padding and never counts. Undefined for what is no shard.
 */
export function piecesOf(parameter: object, data: Floats): Doubles | undefined {
  const known = shards.get(parameter);
  return known?.data === data ? known.pieces : undefined;
}

/** Whether this is the gradient that a shard was made with. */
export function isShardGrad(parameter: object, grad: unknown): boolean {
  return shards.get(parameter)?.grad === grad;
}
