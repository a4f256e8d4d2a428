/**
 * What a parameter shows as its own: tests that compare two parameters, spreads and
 * `structuredClone` look at an object's own enumerable properties only.
 */

import { GradstepError } from '../support/errors.ts';

const FIELDS = ['data', 'grad', 'frozen'] as const;

/** By prototype: one descriptor for all instances keeps them in one hidden class. */
const fieldsOf = new WeakMap<object, PropertyDescriptorMap>();

/** Makes a parameter's accessors, as its class or a subclass has them, properties of its own. */
export function showFields(parameter: object): void {
  const prototype = Object.getPrototypeOf(parameter) as object;
  let fields = fieldsOf.get(prototype);
  if (fields === undefined) {
    const shown = { enumerable: true, configurable: true };
    fields = Object.fromEntries(
      FIELDS.map((field) => [field, { ...inherited(prototype, field), ...shown }]),
    ) as PropertyDescriptorMap;
    fieldsOf.set(prototype, fields);
  }
  Object.defineProperties(parameter, fields);
}

/** The nearest definition of an accessor. */
function inherited(prototype: object, field: string): PropertyDescriptor {
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, field);
    if (descriptor !== undefined) return descriptor;
  }
  return {};
}

/** Lets assigning to what PyTorch calls `frozen` be an error; to read it is undefined as before. */
export function refuseRequiresGrad(prototype: object): void {
  for (const word of ['requiresGrad', 'requires_grad']) {
    Object.defineProperty(prototype, word, {
      configurable: true,
      set() {
        throw new GradstepError(
          'ERR_UNKNOWN_OPTION',
          `A parameter has no ${word}; to let steps leave it alone: parameter.frozen = true`,
        );
      },
    });
  }
}
