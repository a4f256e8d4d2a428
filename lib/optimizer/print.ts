/** Optimizers as torch prints them. */

import { MEMBERS } from '../groups/param-group.ts';

/** A title for each group, then its options, sorted; an empty line between groups. */
export function printOptimizer(name: string, groups: readonly object[]): string {
  if (groups.length === 0) return `${name} ()`;
  return `${name} (\n${groups.map(printGroup).join('\n\n')}\n)`;
}

function printGroup(group: object, index: number): string {
  const { name } = group as { name?: string };
  const title = name === undefined ? `${index}` : `${index} ('${name}')`;
  const keys = Object.keys(group).filter((key) => !MEMBERS.includes(key));
  const options = keys.sort().map((key) => `    ${key}: ${print(Reflect.get(group, key))}`);
  return [`Parameter Group ${title}`, ...options].join('\n');
}

function print(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}
