/**
 * What a typed array truly is, whatever its owner says: the intrinsic getters read the internal
 * slots, so an own `length`, a subclass or a patched prototype cannot forge the answer.
 */

const typedArrayPrototype = Object.getPrototypeOf(Float32Array.prototype) as object;

function intrinsic<T>(property: string | symbol): (value: unknown) => T {
  const getter = Object.getOwnPropertyDescriptor(typedArrayPrototype, property)?.get;
  return (value) => Reflect.apply(getter as () => T, value, []);
}

const tagOf = intrinsic<string | undefined>(Symbol.toStringTag);

/** Number of elements by the internal slots; 0 for a detached or out-of-bounds array. */
export const lengthOf: (array: unknown) => number = intrinsic('length');

/** The buffer by the internal slots. V8 moves tiny arrays off its own heap when this is read. */
export const bufferOf: (array: unknown) => ArrayBufferLike = intrinsic('buffer');

/** The offset in bytes by the internal slots; 0 for a detached or out-of-bounds array. */
export const byteOffsetOf: (array: unknown) => number = intrinsic('byteOffset');

/** Whether `value` is a Float32Array (or a subclass of it), of this or another realm. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && tagOf(value) === 'Float32Array';
}

const fillFloat32 = Float32Array.prototype.fill;

/** Fills with zeros through the intrinsic method. */
export function fillZero(array: Float32Array): void {
  fillFloat32.call(array, 0);
}
