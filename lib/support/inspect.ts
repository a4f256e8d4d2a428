/** How Node's `console.log` shows objects of this package. */

import { inspectCustom } from './describe.ts';

type Inspect = (value: unknown, options: object) => string;

/** What Node calls under `inspectCustom`. */
export type InspectMethod = (depth: number | null, options: object, inspect: Inspect) => string;

/** Shows a class's name and these fields, without those that are undefined. */
function inspectFields(name: string, fields: () => object): InspectMethod {
  return (depth, options, inspect) => {
    if (depth !== null && depth < 0) return `[${name}]`;
    const shown = Object.entries(fields()).filter(([, value]) => value !== undefined);
    // One more, so that lists of numbers are shown in full.
    const inside = { ...options, depth: depth === null ? null : depth + 1 };
    const text = inspect(Object.fromEntries(shown), inside);
    return name === '' ? text : `${name} ${text}`;
  };
}

/** Shows a call, as one writes it. */
export function inspectCall(name: string, args: readonly unknown[]): InspectMethod {
  return (depth, options, inspect) => {
    return `${name}(${args.map((argument) => inspect(argument, { ...options, depth })).join(', ')})`;
  };
}

/** Gives an object its print. (A method of the class would keep it in every bundle.) */
export function inspectable<T extends object>(object: T, method: InspectMethod): T {
  return Object.defineProperty(object, inspectCustom, { value: method, configurable: true });
}

/** Has an object shown by its class's name and these fields. */
export function showFields(object: object, name: string, fields: () => object): void {
  inspectable(object, inspectFields(name, fields));
}
