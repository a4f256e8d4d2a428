/**
 * A whole model in two flat buffers: one of values, one of gradients. Kernels, workers and sums
 * over workers then see one span, and other threads open the same memory from a description.
 */

import { activeBackend } from '../backend/active.ts';
import { FLOATS_PER_LINE, type Placement, SlabAllocator, wholeLines } from '../memory/slab.ts';
import { describe, inspectCustom } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isIterable, isObject, itemsOf } from '../support/iterables.ts';
import { readOnlyFields } from '../support/read-only.ts';
import { type Floats, lengthOf, viewOf } from '../support/typed-arrays.ts';
import {
  type ArenaBlock,
  type ArenaDescription,
  type DescribedParameter,
  readDescription,
} from './arena-description.ts';
import { ArenaParameter, key } from './arena-parameter.ts';
import { type ArenaShard, knowWhole, makeShard } from './arena-shard.ts';
import { shapeOf, sizeOf } from './values.ts';

type Shape = readonly number[];

export type { ArenaDescription };

/** Shapes by name, as an object, a Map or pairs; or shapes alone. */
export type ArenaShapes =
  | Readonly<Record<string, Shape>>
  | Iterable<readonly [name: string, shape: Shape]>
  | Iterable<Shape>;

/** The memory of an arena and what lies in it. */
interface Contents {
  readonly data: Floats;
  readonly grad: Floats;
  readonly parameters: readonly DescribedParameter[];
}

/** What `open` has checked; nobody else can give a constructor any. */
const opened = new WeakSet<object>();

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
   * All values: the parameters in order, each padded to a whole cache line. Nobody reads the
   * padding, here and in `grad`, and steps may write to it.
   */
  declare readonly data: Floats;
  /** All gradients, laid out as `data`; `zeroGrad()` fills them with zeros in place. */
  declare readonly grad: Floats;
  /** The parameters, as views of `data` and `grad`. Their gradients are there from the start. */
  declare readonly parameters: readonly ArenaParameter[];

  readonly #described: readonly DescribedParameter[];
  readonly #lengths: readonly number[];
  readonly #fields: Pick<ParameterArena, 'data' | 'grad' | 'parameters'>;

  static readonly #accessors = readOnlyFields<ParameterArena>({
    data: [(arena) => arena.#fields.data, 'write into it, arena.data.set(values)'],
    grad: [(arena) => arena.#fields.grad, 'write into it, arena.grad.set(values)'],
    parameters: [(arena) => arena.#fields.parameters, 'make another arena'],
  });

  /** @throws {GradstepError} `ERR_INVALID_PARAMETER`, `ERR_OUT_OF_MEMORY`. */
  constructor(shapes: ArenaShapes);
  constructor(shapes: unknown) {
    const isOpened = isObject(shapes) && opened.has(shapes);
    const { data, grad, parameters } = isOpened ? (shapes as Contents) : allocate(shapes);
    const changes = { count: 0 };
    let begin = 0;
    const cut = parameters.map((parameter) => {
      const length = sizeOf(parameter.shape);
      const views = { data: viewOf(data, begin, length), grad: viewOf(grad, begin, length) };
      const place = { ...views, grads: grad, begin, hasGrad: true, frozen: false, changes };
      begin += wholeLines(length);
      return new ArenaParameter(key, place, parameter);
    });
    this.#described = Object.freeze(parameters);
    this.#fields = { data, grad, parameters: Object.freeze(cut) };
    this.#lengths = parameters.map(({ shape }) => sizeOf(shape));
    Object.defineProperties(this, ParameterArena.#accessors);
    knowWhole(this, { data, grad, lengths: this.#lengths });
  }

  /**
   * The arena of another thread, over the same memory.
   * @throws {GradstepError} `ERR_INVALID_ARGUMENT` when that is no description of one.
   */
  static open(description: ArenaDescription): ParameterArena {
    const { data, grad, parameters } = readDescription(description);
    const total = totalOf(parameters);
    let contents: Contents;
    try {
      contents = { data: view(data, total), grad: view(grad, total), parameters };
    } catch (cause) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        'Expected a description made by arena.describe(), but its memory does not hold its shapes',
        { cause },
      );
    }
    opened.add(contents);
    return new ParameterArena(contents as never);
  }

  /** A plain object for `postMessage` or `workerData`; the memory itself is shared, not copied. */
  describe(): ArenaDescription {
    const { data, grad } = this;
    return { data: block(data), grad: block(grad), parameters: [...this.#described] };
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
  shard(index: number, count: number): ArenaShard {
    const whole = Number.isSafeInteger(index) && Number.isSafeInteger(count);
    if (!whole || index < 0 || index >= count) {
      throw new GradstepError(
        'ERR_INVALID_ARGUMENT',
        `Expected a shard index from 0 to below the count but received ${describe(index)} of ` +
          `${describe(count)}`,
      );
    }
    const lines = lengthOf(this.#fields.data) / FLOATS_PER_LINE;
    const cutAt = (part: number) => Math.floor((lines * part) / count) * FLOATS_PER_LINE;
    const { data, grad } = this.#fields;
    const memory = { data, grad, lengths: this.#lengths };
    return makeShard(memory, cutAt(index), cutAt(index + 1), `shard ${index} of ${count}`);
  }

  /** A line for the arena, and one for each of its first parameters. */
  toString(): string {
    const { parameters } = this;
    const shown = parameters.slice(0, MOST_SHOWN).map((parameter) => `  ${parameter}`);
    if (parameters.length > MOST_SHOWN) shown.push(`  … ${parameters.length - MOST_SHOWN} more`);
    const values = parameters.reduce((sum, { length }) => sum + length, 0);
    const without = parameters.filter(({ grad }) => grad === null).length;
    const dropped = without > 0 ? `, ${without} without gradients` : '';
    const title = `ParameterArena (${parameters.length} parameters, ${values} values${dropped})`;
    return [title, ...shown].join('\n');
  }

  /** What `console.log` shows in Node.js. */
  [inspectCustom](): string {
    return this.toString();
  }
}

/** How many parameters a print names. */
const MOST_SHOWN = 20;

function listShapes(shapes: unknown): DescribedParameter[] {
  if (!isObject(shapes)) {
    throw new GradstepError(
      'ERR_INVALID_PARAMETER',
      `Expected shapes, or shapes by name, but received ${describe(shapes)}`,
    );
  }
  const items = isIterable(shapes) ? itemsOf(shapes, 'shapes') : Object.entries(shapes);
  return items.map((item) => {
    if (!Array.isArray(item)) return { name: undefined, shape: shapeOf(item) };
    const entries: unknown[] = [...item];
    const [name, shape] = entries;
    return typeof name === 'string'
      ? { name, shape: shapeOf(shape) }
      : { name: undefined, shape: shapeOf(entries) };
  });
}

function allocate(shapes: unknown): Contents {
  const parameters = listShapes(shapes);
  const total = totalOf(parameters);
  const home = activeBackend().home();
  return { data: zeroed(home, total, 0), grad: zeroed(home, total, 1), parameters };
}

function totalOf(parameters: readonly DescribedParameter[]): number {
  return parameters.reduce((sum, { shape }) => sum + wholeLines(sizeOf(shape)), 0);
}

/** Zeroed floats on a cache line, in memory of their own. */
function zeroed(home: Placement, length: number, place: number): Floats {
  return new SlabAllocator(home, undefined, 0).float32(length, place);
}

function block({ buffer, byteOffset }: Floats): ArenaBlock {
  return { buffer, byteOffset };
}

function view({ buffer, byteOffset }: ArenaBlock, length: number): Floats {
  return new Float32Array(buffer, byteOffset, length);
}
