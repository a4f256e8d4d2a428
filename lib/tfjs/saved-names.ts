/** Variables by the names that they had when something was saved. */

import { baseName } from './selection.ts';

/**
 * A model that is loaded beside another one has variables of other names: TensorFlow.js adds `_1`
 * to a name that is taken. So a name means, in this order, itself, itself without such a number,
 * or the only one that is alike without.
 */
export class SavedNames<T> {
  readonly #byName = new Map<string, T>();
  readonly #byBase = new Map<string, readonly string[]>();

  constructor(entries: Iterable<readonly [name: string, value: T]>) {
    for (const [name, value] of entries) {
      if (this.#byName.has(name)) continue;
      this.#byName.set(name, value);
      const base = baseName(name);
      this.#byBase.set(base, [...(this.#byBase.get(base) ?? []), name]);
    }
  }

  get size(): number {
    return this.#byName.size;
  }

  /** The saved name that a variable's name means now. */
  resolve(name: string): string | undefined {
    const base = baseName(name);
    if (this.#byName.has(name)) return name;
    if (this.#byName.has(base)) return base;
    const alike = [
      ...new Set([...(this.#byBase.get(name) ?? []), ...(this.#byBase.get(base) ?? [])]),
    ];
    return alike.length === 1 ? alike[0] : undefined;
  }

  get(name: string): T | undefined {
    const saved = this.resolve(name);
    return saved === undefined ? undefined : this.#byName.get(saved);
  }

  values(): IterableIterator<T> {
    return this.#byName.values();
  }
}
