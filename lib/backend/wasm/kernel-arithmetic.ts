/** Reductions and treatment of gradients by the kernels. */

import { type Floats, lengthOf } from '../../support/typed-arrays.ts';
import type { Arithmetic } from '../portable/arithmetic.ts';
import { REDUCE_BLOCK, type Reduction, reduceArray, reductions } from '../portable/reduce.ts';
import { commonSpace, kernelsOf } from './engine.ts';
import { copy } from './kernel-rule.ts';
import { BLOCK, type Space, spaceOf } from './space.ts';

/** In the order of `native/kernels/reduction.h`. */
const KNOWN: readonly Reduction[] = Object.values(reductions);

/** Calls with the address of each block, where it lies or through the scratch. */
function forEachBlock(
  array: Floats,
  size: number,
  call: (address: number, count: number, space: Space, from: number) => void,
): void {
  const length = lengthOf(array);
  const space = spaceOf(array) ?? commonSpace();
  const place = space.addressOf(array);
  for (let from = 0; from < length; from += size) {
    const count = Math.min(size, length - from);
    if (place < 0) copy(space.scratch[0]!, 0, array, from, count);
    call(place < 0 ? space.scratchOf(0) : place + from * 4, count, space, from);
  }
}

export const kernelArithmetic: Arithmetic = {
  reduce(reduction, array, scale = 1, bound = Number.POSITIVE_INFINITY) {
    const which = KNOWN.indexOf(reduction);
    if (which < 0 || lengthOf(array) === 0) return reduceArray(reduction, array, scale, bound);
    let result: number | undefined;
    forEachBlock(array, REDUCE_BLOCK, (address, count, space) => {
      const block = kernelsOf(space).reduce(which, address, count, scale, bound);
      result = result === undefined ? block : reduction.join(result, block);
    });
    return result!;
  },
  treat(array, scale, bound) {
    forEachBlock(array, BLOCK, (address, count, space, from) => {
      kernelsOf(space).treat(scale, bound, 1, address, address, count);
      if (space.addressOf(array) < 0) copy(array, from, space.scratch[0]!, 0, count);
    });
  },
};
