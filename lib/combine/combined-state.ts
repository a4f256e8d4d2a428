/** The state of several optimizers as one read-only Map. */

import type { ParameterLike } from '../parameters/parameter.ts';
import { inspectCustom } from '../support/describe.ts';

/** Maps without a key in common, seen as one; it follows them. */
export class CombinedState<S> implements ReadonlyMap<ParameterLike, S> {
  readonly #maps: readonly ReadonlyMap<ParameterLike, S>[];

  constructor(maps: readonly ReadonlyMap<ParameterLike, S>[]) {
    this.#maps = maps;
  }

  get size(): number {
    return this.#maps.reduce((sum, { size }) => sum + size, 0);
  }

  has(parameter: ParameterLike): boolean {
    return this.#maps.some((map) => map.has(parameter));
  }

  get(parameter: ParameterLike): S | undefined {
    return this.#maps.find((map) => map.has(parameter))?.get(parameter);
  }

  *entries(): MapIterator<[ParameterLike, S]> {
    for (const map of this.#maps) yield* map;
  }

  *keys(): MapIterator<ParameterLike> {
    for (const map of this.#maps) yield* map.keys();
  }

  *values(): MapIterator<S> {
    for (const map of this.#maps) yield* map.values();
  }

  [Symbol.iterator](): MapIterator<[ParameterLike, S]> {
    return this.entries();
  }

  forEach(
    callback: (state: S, parameter: ParameterLike, map: ReadonlyMap<ParameterLike, S>) => void,
    thisArg?: unknown,
  ): void {
    for (const [parameter, state] of this) callback.call(thisArg, state, parameter, this);
  }

  /** What `console.log` shows in Node.js. */
  [inspectCustom](
    _depth: number,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ): string {
    return inspect(new Map(this), options);
  }
}
