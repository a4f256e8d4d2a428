/** The parameters of an arena, whose arrays are known for good. */

import { GradstepError } from '../support/errors.ts';
import { bufferOf, type Floats, isShared } from '../support/typed-arrays.ts';
import { checkFrozen, Parameter, type ParameterLike } from './parameter.ts';

/**
 * Where one parameter lies in its arena, and whether it has a gradient: what an optimizer trusts
 * instead of what a getter says.
 */
export interface ArenaSlot {
  readonly data: Floats;
  readonly grad: Floats;
  /** The gradients of the whole arena, and where this one begins in them. */
  readonly grads: Floats;
  readonly begin: number;
  hasGrad: boolean;
  frozen: boolean;
  /** One object for the whole arena: how often any gradient came or went, or any froze. */
  readonly changes: { count: number };
}

/** Only an arena makes its parameters. @internal */
export const key: unique symbol = Symbol('ParameterArena');

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
    { name, shape }: { readonly name: string | undefined; readonly shape: readonly number[] },
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
      slot.grad.fill(0);
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
