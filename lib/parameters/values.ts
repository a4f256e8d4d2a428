/** What parameters are made from: numbers in arrays, and shapes. */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import type { Floats } from '../support/typed-arrays.ts';

/** Numbers, or arrays of them as deep as there are dimensions, all alike. */
export type NestedNumbers = readonly number[] | readonly NestedNumbers[];

/** Deeper arrays are probably one inside itself. */
const MOST_DIMENSIONS = 64;

/**
 * A copy of a shape, checked.
 * @throws {GradstepError} `ERR_INVALID_PARAMETER` unless it is an array of whole numbers >= 0.
 */
export function shapeOf(given: unknown): readonly number[] {
  const shape: unknown[] | undefined = Array.isArray(given) ? [...given] : undefined;
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  if (!shape?.every(isSize)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected a shape to be an array of whole numbers but received ${describe(given)}`,
    );
  }
  return Object.freeze(shape as number[]);
}

/**
 * The number of values of a checked shape.
 * @throws {GradstepError} `ERR_INVALID_PARAMETER` when no number tells it.
 */
export function sizeOf(shape: readonly number[]): number {
  if (shape.includes(0)) return 0;
  const size = shape.reduce((a, b) => a * b, 1);
  if (Number.isSafeInteger(size)) return size;
  throw new GradstepError(
    'ERR_INVALID_PARAMETER',
    `Expected a shape that memory can hold but received [${shape.join(', ')}], of ${size} values`,
  );
}

/** @throws {GradstepError} `ERR_OUT_OF_MEMORY`. */
export function zeros(length: number): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw new GradstepError('ERR_OUT_OF_MEMORY', `Could not allocate ${length} values`, { cause });
  }
}

/**
 * The numbers of nested arrays, flat, and the shape that they have.
 * @param label What errors call the parameter.
 * @throws {GradstepError} `ERR_INVALID_PARAMETER` for what is no number that float32 can hold, and
 * for rows of different lengths; `ERR_OUT_OF_MEMORY`.
 */
export function flatten(
  given: readonly unknown[],
  label: string,
): { data: Floats; shape: readonly number[] } {
  const shape: number[] = [];
  for (let row: unknown = given; Array.isArray(row); [row] = row) {
    if (shape.push(row.length) > MOST_DIMENSIONS) break;
  }
  const rows = new Rows(shape, label);
  rows.read(given, 0);
  return { data: rows.data, shape };
}

/** Reads rows that all have the shape that their first numbers show. */
class Rows {
  readonly data: Floats;
  readonly #shape: readonly number[];
  readonly #label: string;
  /** Where in the nested arrays it is. */
  readonly #path: number[] = [];
  #at = 0;

  constructor(shape: readonly number[], label: string) {
    this.#shape = shape;
    this.#label = label;
    this.data = zeros(sizeOf(shape));
  }

  read(item: unknown, depth: number): void {
    this.#path.length = depth;
    if (depth === this.#shape.length) {
      this.#readNumber(item);
      return;
    }
    const length = Array.isArray(item) ? item.length : undefined;
    if (length !== this.#shape[depth]) this.#refuse(`rows of ${this.#shape[depth]}`, item);
    for (let i = 0; i < length!; i++) {
      this.#path[depth] = i;
      this.read((item as unknown[])[i], depth + 1);
    }
  }

  #readNumber(item: unknown): void {
    if (typeof item !== 'number') this.#refuse('numbers', item);
    const value = Math.fround(item);
    if (!Number.isFinite(value) && Number.isFinite(item)) {
      this.#refuse('numbers that float32 can hold', item);
    }
    this.data[this.#at++] = value;
  }

  #refuse(expected: string, item: unknown): never {
    const at = this.#path.length > 0 ? ` at [${this.#path.join('][')}]` : '';
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected data of ${this.#label} to be ${expected} but received ${describe(item)}${at}`,
    );
  }
}
