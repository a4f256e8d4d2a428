/**
 * What a typed array truly is, whatever its owner says: the intrinsic getters read the internal
 * slots, so an own `length`, a subclass or another prototype cannot forge the answer.
 */

/** What parameters, gradients and state are made of, on any kind of memory. */
export type Floats = Float32Array<ArrayBufferLike>;

/** What hyperparameter structs and step counts are made of. */
export type Doubles = Float64Array<ArrayBufferLike>;

const { apply } = Reflect;
const { isView } = ArrayBuffer;
const typedArrayPrototype = Object.getPrototypeOf(Float32Array.prototype) as object;
const noArguments: readonly never[] = [];

function intrinsic<T>(prototype: object, property: string | symbol): (value: unknown) => T {
  const getter = Object.getOwnPropertyDescriptor(prototype, property)!.get as () => T;
  return (value) => apply(getter, value, noArguments);
}

const tagOf = intrinsic<string | undefined>(typedArrayPrototype, Symbol.toStringTag);

/** Number of elements by the internal slots; 0 for a detached or out-of-bounds array. */
export const lengthOf: (array: unknown) => number = intrinsic(typedArrayPrototype, 'length');

/** The buffer by the internal slots. V8 moves tiny arrays off its own heap when this is read. */
export const bufferOf: (array: unknown) => ArrayBufferLike = intrinsic(
  typedArrayPrototype,
  'buffer',
);

/** The offset in bytes by the internal slots; 0 for a detached or out-of-bounds array. */
export const byteOffsetOf: (array: unknown) => number = intrinsic(
  typedArrayPrototype,
  'byteOffset',
);

/** Whether `value` is a Float32Array (or a subclass of it), of this or another realm. */
export function isFloat32Array(value: unknown): value is Floats {
  return isView(value) && tagOf(value) === 'Float32Array';
}

/** Whether `value` is a Float64Array (or a subclass of it), of this or another realm. */
export function isFloat64Array(value: unknown): value is Doubles {
  return isView(value) && tagOf(value) === 'Float64Array';
}

const sharedLength =
  typeof SharedArrayBuffer === 'undefined'
    ? undefined
    : intrinsic<number>(SharedArrayBuffer.prototype, 'byteLength');

/** Whether `buffer` is shared memory, which nobody can detach or shrink. */
export function isShared(buffer: unknown): buffer is SharedArrayBuffer {
  try {
    return sharedLength !== undefined && sharedLength(buffer) >= 0;
  } catch {
    return false; // the getter refuses every other object
  }
}

const { fill: fillFloat32, keys: keysOf, set: setFloat32 } = Float32Array.prototype;

/** Fills with zeros, wholly or from `begin` to `end`, through the intrinsic method. */
export function fillZero(array: Floats, begin = 0, end: number = lengthOf(array)): void {
  apply(fillFloat32, array, [0, begin, end]);
}

/** Copies the first `length` elements, also the bits of a NaN, whatever methods they have. */
export function copyFloats(
  target: Floats,
  source: Floats,
  length: number = lengthOf(source),
): void {
  if (length > 0) apply(setFloat32, target, [viewOf(source, 0, length)]);
}

/**
 * Whether the array's memory was taken away: its buffer detached, or shrunk below it. Asks for the
 * last element, since optimized code of Node 20 was seen to give a detached array's old length.
 */
export function isGone(array: Floats): boolean {
  const length = lengthOf(array);
  if (length > 0) return array[length - 1] === undefined;
  try {
    apply(keysOf, array, noArguments); // every method validates first
    return false;
  } catch {
    return true;
  }
}

const { getPrototypeOf } = Object;
const sharedPrototype =
  typeof SharedArrayBuffer === 'undefined' ? undefined : SharedArrayBuffer.prototype;
const isResizable = flagOf(ArrayBuffer.prototype, 'resizable');
const isGrowable = flagOf(sharedPrototype, 'growable');

/** Reads an intrinsic flag; undefined for what is no such buffer, and where there is none. */
function flagOf(prototype: object | undefined, flag: string): (buffer: unknown) => unknown {
  const getter = prototype && Object.getOwnPropertyDescriptor(prototype, flag)?.get;
  if (getter === undefined) return () => undefined;
  return (buffer) => {
    try {
      return apply(getter, buffer, noArguments);
    } catch {
      return undefined;
    }
  };
}

/** Whether the array may become longer or shorter, as over a buffer that grows it may. */
export function isElastic(array: Floats): boolean {
  const buffer = bufferOf(array);
  // What its prototype says is a guess, which saves an exception; the getters know.
  const looksShared = getPrototypeOf(buffer) === sharedPrototype;
  const [first, second] = looksShared ? [isGrowable, isResizable] : [isResizable, isGrowable];
  return (first(buffer) ?? second(buffer)) === true;
}

/** Whether the array is there and has this length; for those that `isGone` alone does not prove. */
export function isWhole(array: Floats, length: number): boolean {
  return !isGone(array) && lengthOf(array) === length;
}

/** As `subarray` does, whatever species the array's constructor names. */
export function viewOf(array: Floats, begin: number, length: number): Floats {
  return new Float32Array(bufferOf(array), byteOffsetOf(array) + begin * 4, length);
}
