/**
 * A whole model in two flat buffers: one of values, one of gradients. Kernels, workers and sums
 * over workers then see one span, and other threads open the same memory from a description.
 */

import { activeBackend } from '../backend/active.ts';
import { FLOATS_PER_LINE, SlabAllocator, wholeLines } from '../memory/slab.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { bufferOf, type Floats, fillZero, isShared, viewOf } from '../support/typed-arrays.ts';
import { isIterable, isObject } from './list-params.ts';
import { checkFrozen, Parameter, type ParameterLike } from './parameter.ts';

type Shape = readonly number[];

/** Shapes by name, as an object, a Map or pairs; or shapes alone. */
export type ArenaShapes =
  | Readonly<Record<string, Shape>>
  | Iterable<readonly [name: string, shape: Shape]>
  | Iterable<Shape>;

/** A part of an arena as `postMessage` carries it. */
interface ArenaBlock {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
}

/** Everything that another thread needs to open the same arena; structured-cloneable. */
export interface ArenaDescription {
  readonly data: ArenaBlock;
  readonly grad: ArenaBlock;
  /** The parameters in order; each begins on a cache line. */
  readonly parameters: readonly { readonly name: string | undefined; readonly shape: Shape }[];
}

/**
 * Where one parameter lies in its arena, and whether it has a gradient: what an optimizer trusts
 * instead of what a getter says.
 */
export interface ArenaSlot {
  readonly data: Floats;
  readonly grad: Floats;
  hasGrad: boolean;
  frozen: boolean;
  /** One object for the whole arena: how often any gradient came or went, or any froze. */
  readonly changes: { count: number };
}

/** Only an arena makes its parameters. */
const key = Symbol('ParameterArena');

/**
 * A parameter whose arrays are views of an arena. They stay there: `data` cannot be replaced, and
 * `grad` is either its own view or null.
 */
export class ArenaParameter extends Parameter {
  readonly #slot: ArenaSlot;

  /** @internal */
  constructor(
    made: symbol,
    slot: ArenaSlot,
    { name, shape }: ArenaDescription['parameters'][number],
  ) {
    if (made !== key) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        'Make a ParameterArena to have its parameters',
      );
    }
    super(slot.data, { shape, ...(name === undefined ? {} : { name }) });
    this.#slot = slot;
  }

  /** The place of a parameter in an arena, if `data` is what lies there. @internal */
  static placeOf(parameter: ParameterLike, data: Floats): ArenaSlot | undefined {
    if (!(#slot in parameter) || parameter.#slot.data !== data) return undefined;
    return isShared(bufferOf(data)) ? parameter.#slot : undefined;
  }

  override get data(): Floats {
    return super.data;
  }

  override set data(_data: Floats) {
    throw this.#fixed('data');
  }

  override get grad(): Floats | null {
    return this.#slot.hasGrad ? this.#slot.grad : null;
  }

  override set grad(grad: Floats | null | undefined) {
    const slot = this.#slot;
    if (grad !== null && grad !== undefined && grad !== slot.grad) throw this.#fixed('grad');
    const present = grad === slot.grad;
    if (present !== slot.hasGrad) slot.changes.count += 1;
    slot.hasGrad = present;
  }

  override get frozen(): boolean {
    return #slot in this && this.#slot.frozen; // an imitation is never frozen
  }

  override set frozen(given: boolean) {
    const slot = this.#slot;
    const frozen = checkFrozen(given, this.name);
    if (frozen !== slot.frozen) slot.changes.count += 1;
    slot.frozen = frozen;
  }

  override ensureGrad(): Floats {
    const slot = this.#slot;
    if (!slot.hasGrad) {
      fillZero(slot.grad);
      this.grad = slot.grad;
    }
    return slot.grad;
  }

  #fixed(field: string): GradstepError {
    const label = this.name === undefined ? '' : ` '${this.name}'`;
    return new GradstepError(
      'ERR_READ_ONLY',
      `${field} of parameter${label} lies in an arena and stays there; copy values into it: ` +
        `parameter.${field === 'data' ? 'data' : 'ensureGrad()'}.set(values)`,
    );
  }
}

/**
 * Parameters of the given shapes, filled with zeros, in flat shared memory.
 *
 * ```ts
 * const arena = new ParameterArena({ weight: [10, 4], bias: [10] });
 * const optimizer = new AdamW(arena.parameters);
 * new Worker(url, { workerData: arena.describe() }); // there: ParameterArena.open(workerData)
 * ```
 */
export class ParameterArena {
  /**
   * All values: the parameters in order, each padded with zeros to a whole cache line. Leave the
   * padding zero, here and in `grad`: optimizers may step over it, and then keep it zero.
   */
  readonly data: Floats;
  /** All gradients, laid out as `data`. After `zeroGrad()` call `ensureGrad()` before writing. */
  readonly grad: Floats;
  /** The parameters, as views of `data` and `grad`. Their gradients are there from the start. */
  readonly parameters: readonly ArenaParameter[];

  readonly #description: ArenaDescription;

  /** @throws {GradstepError} `ERR_INVALID_PARAMETER`, `ERR_OUT_OF_MEMORY`. */
  constructor(shapes: ArenaShapes);
  /** @internal */
  constructor(shapes: ArenaShapes, opened: ArenaDescription | undefined);
  constructor(shapes: ArenaShapes, opened?: ArenaDescription) {
    const parameters = opened?.parameters ?? listShapes(shapes);
    const lengths = parameters.map(({ shape }) => Parameter.sizeOf(shape));
    const total = lengths.reduce((sum, length) => sum + wholeLines(length), 0);
    this.data = opened ? view(opened.data, total) : allocate(total, 0);
    this.grad = opened ? view(opened.grad, total) : allocate(total, 1);
    const changes = { count: 0 };
    let begin = 0;
    const cut = parameters.map((parameter, i) => {
      const length = lengths[i]!;
      const [data, grad] = [viewOf(this.data, begin, length), viewOf(this.grad, begin, length)];
      begin += wholeLines(length);
      return new ArenaParameter(
        key,
        { data, grad, hasGrad: true, frozen: false, changes },
        parameter,
      );
    });
    this.parameters = Object.freeze(cut);
    this.#description = { data: block(this.data), grad: block(this.grad), parameters };
  }

  /**
   * The arena of another thread, over the same memory.
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` when that is no description of one.
   */
  static open(description: ArenaDescription): ParameterArena {
    const read = readDescription(description);
    if (read === undefined) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected a description made by arena.describe() but received ${describe(description)}`,
      );
    }
    try {
      return new ParameterArena([], read);
    } catch (cause) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        'Expected a description made by arena.describe(), but its memory does not hold its shapes',
        { cause },
      );
    }
  }

  /** A plain object for `postMessage` or `workerData`; the memory itself is shared, not copied. */
  describe(): ArenaDescription {
    return { ...this.#description, parameters: [...this.#description.parameters] };
  }

  /** `[name, parameter]` pairs; a parameter without a name gets its index. */
  namedParameters(): [string, ArenaParameter][] {
    return this.parameters.map((parameter, i) => [parameter.name ?? String(i), parameter]);
  }

  /** Gives every parameter its gradient back, those that were dropped zeroed. */
  ensureGrad(): Floats {
    for (const parameter of this.parameters) parameter.ensureGrad();
    return this.grad;
  }

  /**
   * Part `index` of `count` of the whole arena, cut at cache lines: what one of `count` threads
   * steps or sums. The parts are disjoint and cover everything.
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` unless 0 <= index < count.
   */
  shard(index: number, count: number): ParameterLike {
    const whole = Number.isSafeInteger(index) && Number.isSafeInteger(count);
    if (!whole || index < 0 || index >= count) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected a shard index from 0 to below the count but received ${index} of ${count}`,
      );
    }
    const lines = this.data.length / FLOATS_PER_LINE;
    const [begin, end] = [index, index + 1].map(
      (part) => Math.floor((lines * part) / count) * FLOATS_PER_LINE,
    );
    return {
      name: `shard ${index} of ${count}`,
      data: viewOf(this.data, begin!, end! - begin!),
      grad: viewOf(this.grad, begin!, end! - begin!),
    };
  }
}

function listShapes(shapes: ArenaShapes): ArenaDescription['parameters'] {
  if (!isObject(shapes)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected shapes, or shapes by name, but received ${describe(shapes)}`,
    );
  }
  const items: unknown[] = isIterable(shapes) ? [...shapes] : Object.entries(shapes);
  return items.map((item) => {
    const named = Array.isArray(item) && typeof item[0] === 'string';
    const shape = (named ? item[1] : item) as Shape;
    Parameter.sizeOf(shape); // refuses what is none
    return { name: named ? (item[0] as string) : undefined, shape: Object.freeze([...shape]) };
  });
}

/** Every property once, into an object of our own: getters may answer otherwise the second time. */
function readDescription(value: unknown): ArenaDescription | undefined {
  if (!isObject(value)) return undefined;
  const { data, grad, parameters } = value as Partial<ArenaDescription>;
  const [dataBlock, gradBlock] = [readBlock(data), readBlock(grad)];
  if (dataBlock === undefined || gradBlock === undefined || !Array.isArray(parameters)) {
    return undefined;
  }
  const list: ArenaDescription['parameters'][number][] = [];
  for (const item of parameters as readonly unknown[]) {
    if (!isObject(item)) return undefined;
    const { name, shape } = item as { readonly name?: unknown; readonly shape?: unknown };
    if (!Array.isArray(shape)) return undefined;
    const sizes = Object.freeze([...shape] as number[]);
    list.push({ name: typeof name === 'string' ? name : undefined, shape: sizes });
  }
  return { data: dataBlock, grad: gradBlock, parameters: Object.freeze(list) };
}

function readBlock(value: unknown): ArenaBlock | undefined {
  if (!isObject(value)) return undefined;
  const { buffer, byteOffset } = value as Partial<ArenaBlock>;
  return isShared(buffer) ? { buffer, byteOffset: Number(byteOffset) } : undefined;
}

/** Zeroed floats on a cache line, in memory of their own. */
function allocate(length: number, place: number): Floats {
  return new SlabAllocator(activeBackend()).float32(length, place);
}

function block({ buffer, byteOffset }: Floats): ArenaBlock {
  return { buffer, byteOffset };
}

function view({ buffer, byteOffset }: ArenaBlock, length: number): Floats {
  return new Float32Array(buffer, byteOffset, length);
}
