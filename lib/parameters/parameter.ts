/**
 * What an optimizer steps: an array of values and an array of gradients. `ParameterLike` is the
 * whole contract; the `Parameter` class adds allocation, gradient reuse and a readable print.
 */

import { type ArgumentTable, omissible, parseArguments } from '../schedules/arguments.ts';
import { describe, inspectCustom, named } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { refuseWrites } from '../support/read-only.ts';
import {
  type Floats,
  fillZero,
  isFloat32Array,
  isGone,
  lengthOf,
} from '../support/typed-arrays.ts';
import { refuseRequiresGrad, showFields } from './own-fields.ts';
import { goneSentence } from './sentences.ts';
import { flatten, type NestedNumbers, shapeOf, sizeOf, zeros } from './values.ts';

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
  /**
   * Sizes of the dimensions, whose product is the length of `data`. Default: `[data.length]`, or
   * that of the nested arrays.
   */
  readonly shape?: readonly number[];
  /** The first gradient. Default: none. */
  readonly grad?: Float32Array<ArrayBufferLike> | null;
  /** Whether steps leave it alone. Default: false. */
  readonly frozen?: boolean;
}

/** Nothing given. */
const NONE: ParameterOptions = Object.freeze(Object.create(null) as ParameterOptions);

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
   * @param data The values: a Float32Array, used without copying, or numbers in arrays, to copy.
   * Nested arrays give the shape too: `new Parameter([[1, 2], [3, 4]])` is a matrix.
   * @throws {GradstepError} `ERR_INVALID_PARAMETER` for what is no number, and when shape and
   * values disagree; `ERR_INVALID_GRADIENT`, `ERR_DETACHED`, `ERR_OUT_OF_MEMORY`,
   * `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
   */
  constructor(
    data: Float32Array<ArrayBufferLike> | NestedNumbers,
    options: ParameterOptions = NONE,
  ) {
    const { name, shape, grad, frozen } = options === NONE ? NONE : readOptions(options);
    const label = `parameter${name === undefined ? '' : ` '${name}'`}`;
    const given = Array.isArray(data) ? flatten(data, label) : undefined;
    this.#data = given?.data ?? checkArray(data, 'data', name);
    this.name = name;
    this.shape = this.#shapeOf(given?.shape, shape, label);
    refuseGone(this.#data, 'data', name);
    if (grad) {
      this.#grad = checkArray(grad, 'grad', name);
      refuseGone(grad, 'grad', name);
      checkLength(grad, this.length, label);
    }
    if (frozen !== undefined) this.#frozen = checkFrozen(frozen, name);
    showFields(this);
  }

  /** The shape of the data: that of nested arrays, or the given one, if it fits. */
  #shapeOf(
    shown: readonly number[] | undefined,
    given: readonly number[] | undefined,
    label: string,
  ): readonly number[] {
    const { length } = this;
    if (given === undefined) return Object.freeze(shown ?? [length]);
    const shape = shapeOf(given);
    const isNested = shown !== undefined && shown.length > 1;
    const fits = isNested ? shown.join() === shape.join() : sizeOf(shape) === length;
    if (fits) return shape;
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected data of shape [${shape.join(', ')}] but received ` +
        `${isNested ? `arrays of shape [${shown.join(', ')}]` : `${length} values`} (${label})`,
    );
  }

  /**
   * The number of values of a shape.
   * @throws {GradstepError} `ERR_INVALID_PARAMETER` unless it is an array of whole numbers >= 0.
   */
  static sizeOf(shape: readonly number[]): number {
    return sizeOf(shapeOf(shape));
  }

  /** A parameter of the given shape, filled with zeros. */
  static zeros(shape: readonly number[], options: ParameterOptions = {}): Parameter {
    const sizes = shapeOf(shape);
    return new Parameter(zeros(sizeOf(sizes)), { ...readOptions(options), shape: sizes });
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
      this.#grad = usable ? spare : zeros(length);
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

const anything = omissible((value: unknown) => value as never);
const optionTable: ArgumentTable<ParameterOptions> = {
  name: omissible((name: unknown) => {
    if (typeof name === 'string') return name;
    return refuseOption(`name of Parameter to be a string but received ${describe(name)}`);
  }),
  shape: anything,
  grad: anything,
  frozen: anything,
};

/** The options, of which `shape`, `grad` and `frozen` are not checked yet. */
function readOptions(given: unknown): ParameterOptions {
  const word = typeof given === 'string' ? 'name' : isFloat32Array(given) ? 'grad' : 'shape';
  if (typeof given !== 'object' || given === null || word === 'grad' || Array.isArray(given)) {
    refuseOption(
      'the options of Parameter as an object, { name, shape, grad, frozen }, but received ' +
        `${describe(given)}; did you mean { ${word}: … }?`,
    );
  }
  return parseArguments<ParameterOptions>(optionTable, given, 'Parameter');
}

function refuseOption(expected: string): never {
  throw new GradstepError('ERR_INVALID_OPTION', `Expected ${expected}`);
}

function checkArray(
  array: unknown,
  field: 'data' | 'grad',
  name: string | undefined,
): Float32Array<ArrayBufferLike> {
  const label = `parameter${name === undefined ? '' : ` '${name}'`}`;
  if (isFloat32Array(array)) return array;
  const isOther = ArrayBuffer.isView(array) && !(array instanceof DataView);
  throw new GradstepError(
    field === 'data' ? 'ERR_INVALID_PARAMETER' : 'ERR_INVALID_GRADIENT',
    `Expected ${field} of ${label} to be a Float32Array but received ${describe(array)}` +
      `${isOther ? '; Float32Array.from(array) makes one' : ''}`,
  );
}

function refuseGone(array: Floats, field: 'data' | 'grad', name: string | undefined): void {
  if (!isGone(array)) return;
  throw new GradstepError(
    'ERR_DETACHED',
    goneSentence(field, name === undefined ? '' : `'${name}'`),
  );
}

function checkLength(grad: Float32Array<ArrayBufferLike>, length: number, label: string): void {
  if (lengthOf(grad) === length) return;
  throw new GradstepError(
    'ERR_INVALID_GRADIENT',
    `Expected grad of ${label} to be a Float32Array of length ${length} ` +
      `but received ${describe(grad)}`,
  );
}

refuseWrites(Parameter.prototype);
refuseRequiresGrad(Parameter.prototype);
