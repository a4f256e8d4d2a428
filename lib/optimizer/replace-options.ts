/** Where the state of a parameter that takes the place of another comes from. */

import { isObject } from '../parameters/list-params.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ownProperties } from '../support/own-properties.ts';
import type { Floats } from '../support/typed-arrays.ts';

/** Options of `replaceParameter`. */
export interface ReplaceOptions {
  /**
   * Where in the old parameter each value of the new one comes from: its state comes along, and
   * -1 stands for a new value, whose state is zero. Either one place in the flat array for each
   * value, or, when both parameters have shapes that differ in the first dimension at most, one
   * place along the first dimension for each row. A place may be named more than once.
   */
  readonly index?: ArrayLike<number>;
  /** 'keep', for the same length or with `index`, or 'reset': as before the first step. */
  readonly state?: 'keep' | 'reset';
}

/** Both parameters and their lengths. */
interface Pair {
  readonly old: ParameterLike;
  readonly next: ParameterLike;
  readonly from: number;
  readonly to: number;
}

/** Where state comes from, for a parameter of this length. */
export type Source =
  | { readonly kind: 'keep'; readonly length: number }
  | { readonly kind: 'reset'; readonly length: number }
  | {
      readonly kind: 'gather';
      readonly length: number;
      gather(from: Floats, to: Floats): void;
    };

/** @throws {GradstepError} `ERR_INVALID_ARGUMENT`. */
export function readSource(options: unknown, pair: Pair): Source {
  const { index, state, ...others } = ownProperties(options as ReplaceOptions);
  if (!isObject(options)) refuse(`{ index, state } but received ${describe(options)}`);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) refuse(`{ index, state } but received an option '${unknown}'`);
  if (state !== undefined && state !== 'keep' && state !== 'reset') {
    refuse(`state to be 'keep' or 'reset' but received ${describe(state)}`);
  }
  const { from, to } = pair;
  if (state === 'reset') {
    if (index !== undefined) refuse("no index beside state: 'reset', which takes nothing along");
    return { kind: 'reset', length: to };
  }
  if (index !== undefined) return readIndex(index, pair);
  if (from === to) return { kind: 'keep', length: to };
  return refuse(
    `index, or state: 'reset', since the new parameter has ${to} values and the old one ${from}`,
  );
}

function readIndex(given: unknown, pair: Pair): Source {
  const isList = Array.isArray(given) || (ArrayBuffer.isView(given) && 'length' in given);
  if (!isList) refuse(`index to be an array of numbers but received ${describe(given)}`);
  const list = given as ArrayLike<unknown>;
  const entries = list.length;
  const width = widthOf(entries, pair); // before a copy: it may be a sparse one of any length
  const index = Array.from({ length: entries }, (_, i) => list[i]);
  const places = pair.from / (width || 1);
  const isPlace = (at: unknown) => Number.isInteger(at) && Number(at) >= -1 && Number(at) < places;
  if (!index.every(isPlace)) {
    const wrong = index.find((at) => !isPlace(at));
    refuse(`index to be whole numbers from -1 to below ${places} but received ${describe(wrong)}`);
  }
  return { kind: 'gather', length: pair.to, gather: gatherer(index as number[], width) };
}

/** How many values each entry of an index of this length stands for. */
function widthOf(entries: number, { old, next, from, to }: Pair): number {
  if (entries === to) return 1;
  const [before, after] = [shapeOf(old, from), shapeOf(next, to)];
  const isRows = before !== undefined && after !== undefined && entries === after[0];
  if (isRows && before.slice(1).join() === after.slice(1).join() && before.length > 0) {
    return to / entries;
  }
  const shapes = isRows ? `; shapes [${before.join(', ')}] and [${after.join(', ')}] differ` : '';
  return refuse(
    `index to have one entry for each of the ${to} values of the new parameter, or for each of ` +
      `its rows, but received ${entries}${shapes}`,
  );
}

/** The shape, if it is one of so many values. */
function shapeOf({ shape }: ParameterLike, length: number): number[] | undefined {
  if (!Array.isArray(shape)) return undefined;
  const sizes: unknown[] = [...shape];
  if (!sizes.every(Number.isSafeInteger)) return undefined;
  const product = (sizes as number[]).reduce((a, b) => a * b, 1);
  return product === length ? (sizes as number[]) : undefined;
}

function gatherer(index: readonly number[], width: number) {
  return (from: Floats, to: Floats): void => {
    for (const [row, place] of index.entries()) {
      if (place < 0) continue;
      for (let i = 0; i < width; i++) to[row * width + i] = from[place * width + i]!;
    }
  };
}

function refuse(expected: string): never {
  throw new GradstepError('ERR_INVALID_ARGUMENT', `Expected ${expected}`);
}
