/** What an object has beside its properties. */

/** Gives the object that it is told to be. */
class Itself {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: private fields are added to what is returned
    return object;
  }
}

/**
 * As a WeakMap, but the values lie in the objects. Where a value refers to its object, V8 collects
 * an entry of a WeakMap only when it looks at the whole heap; until then a loop that makes and
 * drops such objects keeps them all, and everything that hangs on them.
 */
export interface Stamps<T> {
  get(object: object): T | undefined;
  set(object: object, value: T): void;
}

export function stamps<T>(): Stamps<T> {
  return class Stamp extends Itself {
    #value: T;

    constructor(object: object, value: T) {
      super(object);
      this.#value = value;
    }

    static get(object: object): T | undefined {
      return #value in object ? object.#value : undefined;
    }

    static set(object: object, value: T): void {
      if (#value in object) object.#value = value;
      else new Stamp(object, value);
    }
  };
}
