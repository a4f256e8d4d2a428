/**
 * What an optimizer steps: an array of values and an array of gradients. `ParameterLike` is the
 * whole contract; the `Parameter` class adds allocation, gradient reuse and a readable print.
 */

import { describe, inspectCustom, named } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { fillZero, isFloat32Array, isGone, lengthOf } from '../support/typed-arrays.ts';

/** Any object with these two arrays can be optimized; nothing else is asked of it. */
export interface ParameterLike {
  /** The values, updated in place. May be replaced between steps by another of the same length. */
  readonly data: Float32Array<ArrayBufferLike>;
  /** The gradient, of the same length as `data`; without one the parameter is skipped wholly. */
  grad?: Float32Array<ArrayBufferLike> | null | undefined;
  /** Whether steps leave it alone, as if it had no gradient. Default: false. */
  readonly frozen?: boolean | undefined;
  /** Shown in errors and prints. */
  readonly name?: string | undefined;
  /** Shown in prints. */
  readonly shape?: readonly number[] | undefined;
}

/** Options of `new Parameter`. */
export interface ParameterOptions {
  /** Shown in errors and prints. */
  readonly name?: string;
  /** Sizes of the dimensions, whose product is the length of `data`. Default: `[data.length]`. */
  readonly shape?: readonly number[];
  /** The first gradient. Default: none. */
  readonly grad?: Float32Array<ArrayBufferLike> | null;
  /** Whether steps leave it alone. Default: false. */
  readonly frozen?: boolean;
}

/**
 * A tensor's values with their gradient, flat in row-major order.
 *
 * ```ts
 * const w = new Parameter(new Float32Array(6), { name: 'w', shape: [2, 3] });
 * w.ensureGrad().set(gradient);
 * ```
 */
export class Parameter implements ParameterLike {
  readonly name: string | undefined;
  readonly shape: readonly number[];
  #data: Float32Array<ArrayBufferLike>;
  #grad: Float32Array<ArrayBufferLike> | null = null;
  #spare: Float32Array<ArrayBufferLike> | null = null;
  #frozen = false;

  /**
   * @param data The values: a Float32Array, used without copying, or numbers to copy.
   * @throws {GradstepError} `ERR_INVALID_PARAMETER` when shape and length disagree.
   */
  constructor(
    data: Float32Array<ArrayBufferLike> | readonly number[],
    options: ParameterOptions = {},
  ) {
    const values = Array.isArray(data) ? Float32Array.from(data) : (data as Float32Array);
    this.#data = checkArray(values, 'data', options.name);
    const length = lengthOf(values);
    const shape = options.shape ?? [length];
    if (Parameter.sizeOf(shape) !== length) {
      throw new GradstepError(
        'ERR_INVALID_PARAMETER',
        `Expected data of shape [${shape.join(', ')}] but received ${length} values`,
      );
    }
    this.name = options.name;
    this.shape = Object.freeze([...shape]);
    if (options.grad) this.grad = options.grad;
    if (options.frozen !== undefined) this.#frozen = checkFrozen(options.frozen, this.name);
  }

  /**
   * The number of values of a shape.
   * @throws {GradstepError} `ERR_INVALID_PARAMETER` unless it is an array of whole numbers >= 0.
   */
  static sizeOf(shape: readonly number[]): number {
    if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new GradstepError(
        'ERR_INVALID_PARAMETER',
        `Expected a shape to be an array of whole numbers but received ${describe(shape)}`,
      );
    }
    return shape.reduce((a, b) => a * b, 1);
  }

  /** A parameter of the given shape, filled with zeros. */
  static zeros(shape: readonly number[], options: ParameterOptions = {}): Parameter {
    return new Parameter(new Float32Array(Parameter.sizeOf(shape)), { ...options, shape });
  }

  /** The number of values. */
  get length(): number {
    return lengthOf(this.#data);
  }

  /** The values. A new array must have the same length, or the next `step()` refuses it. */
  get data(): Float32Array<ArrayBufferLike> {
    return this.#data;
  }

  set data(data: Float32Array<ArrayBufferLike>) {
    this.#data = checkArray(data, 'data', this.name);
  }

  /** The gradient, or null. Setting null keeps the buffer for the next `ensureGrad()`. */
  get grad(): Float32Array<ArrayBufferLike> | null {
    return this.#grad;
  }

  set grad(grad: Float32Array<ArrayBufferLike> | null | undefined) {
    if (grad === null || grad === undefined) {
      this.#spare = this.#grad ?? this.#spare;
      this.#grad = null;
    } else {
      this.#grad = checkArray(grad, 'grad', this.name);
    }
  }

  /** Whether steps leave it alone, as if it had no gradient; counts from the next step on. */
  get frozen(): boolean {
    return this.#frozen;
  }

  set frozen(frozen: boolean) {
    this.#frozen = checkFrozen(frozen, this.name);
  }

  /** The gradient to accumulate into: the present one, else the dropped or a new one, zeroed. */
  ensureGrad(): Float32Array<ArrayBufferLike> {
    if (this.#grad === null) {
      const length = lengthOf(this.#data);
      const spare = this.#spare;
      const usable = spare !== null && !isGone(spare) && lengthOf(spare) === length;
      if (usable) fillZero(spare);
      this.#grad = usable ? spare : new Float32Array(length);
      this.#spare = null;
    }
    return this.#grad;
  }

  /** Name, shape and length for `JSON.stringify`; never the values. */
  toJSON(): { name?: string; shape: readonly number[]; length: number } {
    const { name, shape, length } = this;
    return { ...(name === undefined ? {} : { name }), shape, length };
  }

  toString(): string {
    return named(this);
  }

  /** What `console.log` shows in Node.js. */
  [inspectCustom](): string {
    return this.toString();
  }
}

/** @param label What errors call the parameter. */
export function checkFrozen(frozen: unknown, label: string | undefined): boolean {
  if (typeof frozen === 'boolean') return frozen;
  const whose = label === undefined ? '' : ` ${label}`;
  throw new GradstepError(
    'ERR_INVALID_PARAMETER',
    `Expected frozen of parameter${whose} to be a boolean but received ${describe(frozen)}`,
  );
}

function checkArray(
  array: Float32Array<ArrayBufferLike>,
  field: 'data' | 'grad',
  name: string | undefined,
): Float32Array<ArrayBufferLike> {
  if (isFloat32Array(array)) return array;
  throw new GradstepError(
    field === 'data' ? 'ERR_INVALID_PARAMETER' : 'ERR_INVALID_GRADIENT',
    `Expected ${field} of parameter${name === undefined ? '' : ` '${name}'`} to be a Float32Array ` +
      `but received ${describe(array)}`,
  );
}
