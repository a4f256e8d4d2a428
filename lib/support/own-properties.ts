/** What an object itself says, and nothing that its prototypes lend it. */

/** A copy of an object's own properties, each read once. */
export function ownProperties<T>(given: T): T {
  return Object.assign(Object.create(null), given);
}
