/**
 * The objects in `optimizer.paramGroups`. Their options are accessors over the group's
 * hyperparameter struct, which the native core reads at each step: writing one is a check and
 * a store, no call. `optimizer.defaults` is the same thing without parameters.
 */

import type { Where } from '../options/option.ts';
import type { Placed, Schema } from '../options/schema.ts';
import type { ParameterLike } from '../parameters/parameter.ts';
import { inspectCustom, named } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { readOnlyError } from '../support/read-only.ts';
import { checkGroupFrozen, checkMeta, checkName, type Json } from './group-input.ts';

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
  /** Whether steps leave the parameters alone, as if they had no gradients; saved with the group. */
  frozen?: boolean;
}

/** One parameter group: its parameters, its options, and what the user keeps beside them. */
export type ParamGroup<O> = GroupMembers & LiveOptions<O>;

/** The keys of a group that are no options; a user may set those of the second list. */
export const MEMBERS: readonly string[] = ['params', 'paramNames', 'name', 'meta', 'frozen'];
const WRITABLE = ['name', 'meta', 'frozen'] as const;

/** What a view's options belong to. Printing it ends error sentences: ` (group 2)`. */
export interface OptionOwner<O extends object> {
  readonly schema: Schema<O>;
  readonly struct: Float64Array<ArrayBufferLike>;
  toString(): string;
  /** Throws once the optimizer has been disposed. */
  assertLive(): void;
  /** Allocates what these options need and is missing. */
  ensureState(options: Required<O>): void;
  /** Parameters whose own options stand over these. */
  readonly followers?: Followers<O>;
  /** Told of `frozen`. */
  freeze?(frozen: boolean): void;
}

/** The owner of options that are not those of a group. */
export class OptionHolder<O extends object> implements OptionOwner<O> {
  readonly schema: Schema<O>;
  readonly struct: Float64Array<ArrayBufferLike>;
  readonly #status: { assertLive(): void };
  readonly #where: string;

  /** @param where As `OptionOwner` is printed. */
  constructor(
    schema: Schema<O>,
    struct: Float64Array<ArrayBufferLike>,
    status: { assertLive(): void },
    where: string,
  ) {
    this.schema = schema;
    this.struct = struct;
    this.#status = status;
    this.#where = where;
  }

  toString(): string {
    return this.#where;
  }

  assertLive(): void {
    this.#status.assertLive();
  }

  ensureState(): void {}
}

/** What follows the options of a group where it has no own. */
export interface Followers<O extends object> {
  readonly size: number;
  /** Throws when the group's options to be do not go together with the followers' own. */
  check(options: Required<O>): void;
  write(placed: Placed, value: unknown): void;
}

type Members = { readonly [K in keyof Required<GroupMembers>]: GroupMembers[K] | undefined };

/** What a schema's views have: the options alone, or a group's. */
interface Accessors {
  readonly options: PropertyDescriptorMap;
  readonly group: PropertyDescriptorMap;
  readonly namedGroup: PropertyDescriptorMap;
}

const accessors = new WeakMap<object, Accessors>();

/** Accessors over a struct, and a group's members. A misspelt key throws instead of being kept. */
export class OptionView<O extends object> {
  readonly #owner: OptionOwner<O>;
  readonly #members: Members | undefined;

  /** Shared by all views: a getter for each would give each view a hidden class of its own. */
  static readonly #live = {
    params: {
      enumerable: true,
      get(this: OptionView<object>) {
        return this.#members!.params;
      },
      set() {
        throw readOnlyError(
          'params',
          'use replaceParameter(), removeParameters() or addParameters()',
        );
      },
    },
    paramNames: {
      enumerable: true,
      get(this: OptionView<object>) {
        return this.#members!.paramNames;
      },
      set() {
        throw readOnlyError('paramNames', 'names are given with the parameters');
      },
    },
  };

  constructor(
    owner: OptionOwner<O>,
    /** Read for `params` and `paramNames` whenever they are. */
    members?: Members,
  ) {
    this.#owner = owner;
    this.#members = members;
    Object.defineProperties(this, OptionView.#accessorsOf(owner.schema, members));
    for (const key of WRITABLE) {
      if (members?.[key] !== undefined) defineMember(this, key, members[key], owner);
    }
  }

  /** A group that began without parameters has got some with names. */
  static showNames(view: object): void {
    const { paramNames } = OptionView.#live;
    if (!Object.hasOwn(view, 'paramNames')) Object.defineProperty(view, 'paramNames', paramNames);
  }

  /** All accessors of a view, in order; one call with all of them is the fastest way. */
  static #accessorsOf<T extends object>(
    schema: Schema<T>,
    members: Members | undefined,
  ): PropertyDescriptorMap {
    let known = accessors.get(schema);
    if (known === undefined) {
      const { params, paramNames } = OptionView.#live;
      const options = Object.fromEntries(
        schema.placed.map((placed) => [placed.key, OptionView.#accessor(placed)]),
      );
      const group = { params, ...options };
      known = { options, group, namedGroup: { ...group, paramNames } };
      accessors.set(schema, known);
    }
    if (members === undefined) return known.options;
    return members.paramNames === undefined ? known.group : known.namedGroup;
  }

  /** The pair of functions behind one option, shared by all views of a schema. */
  static #accessor(placed: Placed): PropertyDescriptor {
    const { key, option, at, entangled, needsState } = placed;
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
          owner.followers?.check(options);
          if (needsState) owner.ensureState(options);
        }
        option.write(owner.struct, at, checked);
        if (owner.followers?.size) owner.followers.write(placed, checked);
      },
    };
  }

  /** What happens on assigning to a key that no view has. */
  static setUnknown(view: unknown, key: string | symbol, value: unknown): true {
    if (typeof view !== 'object' || view === null || !(#owner in view)) {
      throw new GradstepError('ERR_READ_ONLY', `Cannot set '${String(key)}' through a group`);
    }
    const isGroup = Object.hasOwn(view, 'params');
    const member = WRITABLE.find((name) => name === key);
    if (isGroup && member !== undefined) {
      memberChecks[member](value, view.#owner);
      defineMember(view, member, value, view.#owner);
      if (member === 'frozen') view.#owner.freeze?.(value as boolean);
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

type Writable = (typeof WRITABLE)[number];

const memberChecks: Record<Writable, (value: unknown, where: Where) => void> = {
  name: checkName,
  meta: checkMeta,
  frozen: checkGroupFrozen,
};

/** Gives a view one of the members that a user may set; later assignments are checked. */
function defineMember<O extends object>(
  view: object,
  key: Writable,
  first: unknown,
  owner: OptionOwner<O>,
): void {
  let kept = first;
  Object.defineProperty(view, key, {
    enumerable: true,
    get: () => kept,
    set: (value: unknown) => {
      memberChecks[key](value, owner);
      kept = value;
      if (key === 'frozen') owner.freeze?.(value as boolean);
    },
  });
}
