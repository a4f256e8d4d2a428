/**
 * The objects in `optimizer.paramGroups`. Their options are accessors over the group's
 * hyperparameter struct, which the native core reads at each step: writing one is a check and
 * a store, no call. `optimizer.defaults` is the same thing without parameters.
 */

import { inspectCustom, named } from './describe.ts';
import { GradstepError } from './errors.ts';
import { checkMeta, checkName } from './group-input.ts';
import type { Placed, Schema, Where } from './options.ts';
import type { ParameterLike } from './parameter.ts';

/** What a user may keep beside a group: anything that JSON can say. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** The options of an optimizer, live: reading gives the value in force, writing changes it. */
export type LiveOptions<O> = { -readonly [K in keyof O]-?: Exclude<O[K], undefined> };

/** What every group has beside its options. */
export interface GroupMembers {
  /** The parameters, in order; a frozen array. */
  readonly params: readonly ParameterLike[];
  /** Their names, when they were given as `[name, parameter]` pairs. */
  readonly paramNames?: readonly string[];
  /** The group's name, shown in errors and prints. */
  name?: string;
  /** The user's own data: saved with the group, never read. */
  meta?: Json;
}

/** One parameter group: its parameters, its options, and what the user keeps beside them. */
export type ParamGroup<O> = GroupMembers & LiveOptions<O>;

/** The keys of a group that are no options; a user may set those of the second list. */
export const MEMBERS: readonly string[] = ['params', 'paramNames', 'name', 'meta'];
const WRITABLE: readonly string[] = ['name', 'meta'];

/** What a view's options belong to. Printing it ends error sentences: ` (group 2)`. */
export interface OptionOwner<O extends object> {
  readonly schema: Schema<O>;
  readonly struct: Float64Array<ArrayBufferLike>;
  toString(): string;
  /** Throws once the optimizer has been disposed. */
  assertLive(): void;
  /** Allocates what these options need and is missing. */
  ensureState(options: Required<O>): void;
}

/** Accessors over a struct, and a group's members. A misspelt key throws instead of being kept. */
export class OptionView<O extends object> {
  readonly #owner: OptionOwner<O>;

  constructor(
    owner: OptionOwner<O>,
    members?: { readonly [K in keyof Required<GroupMembers>]: GroupMembers[K] | undefined },
  ) {
    this.#owner = owner;
    const fixed = (value: unknown) => ({ value, enumerable: true });
    if (members) Object.defineProperty(this, 'params', fixed(members.params));
    Object.defineProperties(this, accessorsOf(owner.schema));
    if (members?.paramNames) {
      Object.defineProperty(this, 'paramNames', fixed(members.paramNames));
    }
    if (members?.name !== undefined) defineMember(this, 'name', members.name, owner);
    if (members?.meta !== undefined) defineMember(this, 'meta', members.meta, owner);
  }

  /** The pair of functions behind one option, shared by all views of a schema. */
  static accessor({ key, option, at, entangled, needsState }: Placed): PropertyDescriptor {
    return {
      enumerable: true,
      get(this: OptionView<object>) {
        return option.read(this.#owner.struct, at);
      },
      set(this: OptionView<object>, value: unknown) {
        const owner = this.#owner;
        owner.assertLive();
        const checked = option.check(value, key, owner);
        if (entangled || needsState) {
          const options = { ...owner.schema.read(owner.struct), [key]: checked };
          owner.schema.checkTogether(options, owner);
          if (needsState) owner.ensureState(options);
        }
        option.write(owner.struct, at, checked);
      },
    };
  }

  /** What happens on assigning to a key that no view has. */
  static setUnknown(view: unknown, key: string | symbol, value: unknown): true {
    if (typeof view !== 'object' || view === null || !(#owner in view)) {
      throw new GradstepError('ERR_READ_ONLY', `Cannot set '${String(key)}' through a group`);
    }
    const isGroup = Object.hasOwn(view, 'params');
    if (isGroup && WRITABLE.includes(String(key))) {
      memberChecks[String(key)]!(value, view.#owner);
      defineMember(view, String(key), value, view.#owner);
      return true;
    }
    throw view.#owner.schema.unknown(String(key), view.#owner, isGroup ? WRITABLE : []);
  }

  /** What `console.log` shows in Node.js: values, not accessors. */
  [inspectCustom](
    _depth: number,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ): string {
    const shown = { ...this } as Record<string, unknown>;
    if (Array.isArray(shown.params)) {
      const { params, paramNames } = shown as unknown as GroupMembers;
      shown.params = params.map((p, i) => ({
        [inspectCustom]: () => named(p, paramNames?.[i]),
      }));
    }
    return inspect(shown, options);
  }
}

// Assigning to a key that nothing on the way has ends here, on the prototype's prototype, so
// that the options themselves stay plain accessors.
Object.setPrototypeOf(
  OptionView.prototype,
  new Proxy(Object.create(Object.prototype) as object, {
    set: (_target, key, value, view) => OptionView.setUnknown(view, key, value),
  }),
);

const memberChecks: Record<string, (value: unknown, where: Where) => void> = {
  name: checkName,
  meta: checkMeta,
};

/** Gives a view its `name` or `meta`; later assignments are checked. */
function defineMember(view: object, key: string, first: unknown, where: Where): void {
  let kept = first;
  Object.defineProperty(view, key, {
    enumerable: true,
    get: () => kept,
    set: (value: unknown) => {
      memberChecks[key]!(value, where);
      kept = value;
    },
  });
}

const accessors = new WeakMap<object, PropertyDescriptorMap>();

function accessorsOf<O extends object>(schema: Schema<O>): PropertyDescriptorMap {
  let known = accessors.get(schema);
  if (known === undefined) {
    known = Object.fromEntries(
      schema.placed.map((placed) => [placed.key, OptionView.accessor(placed)]),
    );
    accessors.set(schema, known);
  }
  return known;
}
