/** What single parameters of a group have otherwise than the group. */

import type { Where } from '../options/option.ts';
import type { Placed, Schema } from '../options/schema.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import type { Doubles } from '../support/typed-arrays.ts';
import type { Followers } from './param-group.ts';

/** What one parameter overrides. */
export interface Override<O extends object> {
  /** The overridden options alone; frozen. */
  readonly values: Partial<O>;
  /** All options in force for it. */
  readonly struct: Doubles;
}

/** Whose overrides they are. */
interface OverridesOwner<O extends object> {
  readonly schema: Schema<O>;
  /** What errors call a parameter. */
  whereOf(parameter: ParameterLike): Where;
}

/** The overrides inside one group; where they override nothing, they follow its options. */
export class Overrides<O extends object> implements Followers<O> {
  readonly #table: OverridesOwner<O>;
  /** Made for the first one: most groups never have any. */
  #of: Map<ParameterLike, Override<O>> | undefined;
  /** Structs that are not in use any more. */
  #spare: Doubles[] | undefined;

  constructor(table: OverridesOwner<O>) {
    this.#table = table;
  }

  get size(): number {
    return this.#of?.size ?? 0;
  }

  get(parameter: ParameterLike): Override<O> | undefined {
    return this.#of?.get(parameter);
  }

  set(parameter: ParameterLike, override: Override<O>): void {
    this.#of ??= new Map();
    this.#of.set(parameter, override);
  }

  /** Only when no slot of the core has the struct any more. */
  delete(parameter: ParameterLike): void {
    const override = this.get(parameter);
    if (override === undefined) return;
    this.#spare ??= [];
    this.#spare.push(override.struct);
    this.#of!.delete(parameter);
  }

  takeSpare(): Doubles | undefined {
    return this.#spare?.pop();
  }

  /** Lets another parameter have the override of this one. */
  move(from: ParameterLike, to: ParameterLike): void {
    const moved = this.get(from);
    if (moved === undefined) return;
    this.#of!.delete(from);
    this.#of!.set(to, moved);
  }

  /** The options in force for a parameter when those of the group are these. */
  over(options: Required<O>, parameter: ParameterLike): Required<O> {
    return { ...options, ...this.get(parameter)?.values };
  }

  check(options: Required<O>): void {
    for (const parameter of this.#of?.keys() ?? []) {
      const { schema } = this.#table;
      schema.checkTogether(this.over(options, parameter), this.#table.whereOf(parameter));
    }
  }

  write({ key, option, at }: Placed, value: unknown): void {
    for (const { values, struct } of this.#of?.values() ?? []) {
      if (!Object.hasOwn(values, key)) option.write(struct, at, value);
    }
  }
}

/** What errors call a parameter whose options are set. */
export function whereOverridden(label: string): string {
  return ` (override of parameter ${label})`;
}
