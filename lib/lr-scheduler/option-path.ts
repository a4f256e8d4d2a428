/** The place of an option in a group: `lr`, or `betas[0]` for one of a pair. */

import { MEMBERS } from '../groups/param-group.ts';
import { describe, nearest } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

export class OptionPath {
  readonly text: string;
  readonly #key: string;
  readonly #index: number | undefined;

  constructor(text: string) {
    const match = /^(\w+)(?:\[(\d+)\])?$/.exec(text);
    this.text = text;
    this.#key = match?.[1] ?? text;
    this.#index = match?.[2] === undefined ? undefined : Number(match[2]);
  }

  /** Whether both would write the same value. */
  overlaps(other: OptionPath): boolean {
    if (other === this || other.#key !== this.#key) return false;
    return other.#index === this.#index || [this.#index, other.#index].includes(undefined);
  }

  /**
   * @param where Which group, for the error.
   * @throws {GradstepError} `ERR_UNKNOWN_OPTION` when the group has no such option.
   */
  read(group: object, where = () => ''): unknown {
    const value: unknown = Reflect.get(group, this.#key);
    const known = Object.keys(group).filter((key) => !MEMBERS.includes(key));
    if (!known.includes(this.#key)) {
      const guess = nearest(this.#key, known);
      throw new GradstepError(
        'ERR_UNKNOWN_OPTION',
        `Unknown option '${this.text}'${guess ? `; did you mean ${guess}?` : '.'} ` +
          `Expected one of ${known.join(', ')}${where()}`,
      );
    }
    if (this.#index === undefined) return value;
    if (Array.isArray(value) && this.#index < value.length) return value[this.#index];
    throw new GradstepError(
      'ERR_UNKNOWN_OPTION',
      `Unknown option '${this.text}'. Expected ${this.#key} to have an item ${this.#index} ` +
        `but it is ${describe(value)}${where()}`,
    );
  }

  /** @throws {GradstepError} What the group refuses. */
  write(group: object, value: unknown): void {
    let next = value;
    if (this.#index !== undefined) {
      const pair = [...(Reflect.get(group, this.#key) as readonly unknown[])];
      pair[this.#index] = value;
      next = pair;
    }
    (group as Record<string, unknown>)[this.#key] = next; // throws what Reflect.set would hide
  }
}
