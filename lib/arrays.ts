/**
 * What a typed array truly is, whatever its owner says: the intrinsic getters read the internal
 * slots, so an own `length`, a subclass or a patched prototype cannot forge the answer.
 */

const { apply } = Reflect;
const { isView } = ArrayBuffer;
const typedArrayPrototype = Object.getPrototypeOf(Float32Array.prototype) as object;
const noArguments: readonly never[] = [];

function intrinsic<T>(property: string | symbol): (value: unknown) => T {
  const getter = Object.getOwnPropertyDescriptor(typedArrayPrototype, property)!.get as () => T;
  return (value) => apply(getter, value, noArguments);
}

const tagOf = intrinsic<string | undefined>(Symbol.toStringTag);

/** Number of elements by the internal slots; 0 for a detached or out-of-bounds array. */
export const lengthOf: (array: unknown) => number = intrinsic('length');

/** The buffer by the internal slots. V8 moves tiny arrays off its own heap when this is read. */
export const bufferOf: (array: unknown) => ArrayBufferLike = intrinsic('buffer');

/** The offset in bytes by the internal slots; 0 for a detached or out-of-bounds array. */
export const byteOffsetOf: (array: unknown) => number = intrinsic('byteOffset');

/** Whether `value` is a Float32Array (or a subclass of it), of this or another realm. */
export function isFloat32Array(value: unknown): value is Float32Array<ArrayBufferLike> {
  return isView(value) && tagOf(value) === 'Float32Array';
}

const fillFloat32 = Float32Array.prototype.fill;

/** Fills with zeros through the intrinsic method. */
export function fillZero(array: Float32Array<ArrayBufferLike>): void {
  apply(fillFloat32, array, [0]);
}

const keysOf = Float32Array.prototype.keys;

/**
 * Whether the array's memory was taken away: its buffer detached, or shrunk below it. Asks for the
 * last element, since optimized code of Node 20 was seen to give a detached array's old length.
 */
export function isGone(array: Float32Array<ArrayBufferLike>): boolean {
  const length = lengthOf(array);
  if (length > 0) return array[length - 1] === undefined;
  try {
    apply(keysOf, array, noArguments); // every method validates first
    return false;
  } catch {
    return true;
  }
}
