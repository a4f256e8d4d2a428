/** How values look in error sentences and prints. */

import { type Floats, isFloat32Array, isGone, lengthOf } from './typed-arrays.ts';

/** The key under which Node's `console.log` looks for an object's own print. */
export const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** One short phrase for any value: `-1`, `'sgd'`, `Float64Array(3)`, `an array of 2`, `null`. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  try {
    if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function';
    return typeof value === 'object' && value !== null ? describeObject(value) : String(value);
  } catch {
    return 'an object'; // one whose own getters throw
  }
}

/** What a user's function threw, in words, whatever it was. */
export function reasonOf(thrown: unknown): string {
  try {
    const message: unknown = thrown instanceof Error ? thrown.message : undefined;
    return typeof message === 'string' ? message : describe(thrown);
  } catch {
    return describe(thrown); // its own getters throw
  }
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return value.length <= 4 ? list(value) : `an array of ${value.length}`;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return `${name}(${lengthOf(value)})`;
  }
  return name && name !== 'Object' ? `an instance of ${name}` : 'an object';
}

function list(values: readonly unknown[]): string {
  return `[${values.map((value) => (Array.isArray(value) ? '[…]' : describe(value))).join(', ')}]`;
}

/** Shape and first values of an array: `[2, 3] [0.1, -0.2, 0.3, …]`. */
export function preview(data: Floats, shape: readonly number[]): string {
  const sizes = `[${Array.isArray(shape) ? shape.join(', ') : describe(shape)}]`;
  if (isGone(data)) return `${sizes} (its memory was taken away)`;
  const length = lengthOf(data);
  const first = Array.from({ length: Math.min(length, 3) }, (_, i) =>
    String(Number(data[i]!.toPrecision(4))),
  );
  if (length > 3) first.push('…');
  return `${sizes} [${first.join(', ')}]`;
}

/** A parameter in one line: `Parameter 'conv.weight' [6, 3, 5, 5] [0.1, -0.2, 0.3, …]`. */
export function named(
  parameter: { data: unknown; name?: string | undefined; shape?: readonly number[] | undefined },
  name: string | undefined = parameter.name,
): string {
  const { data, shape } = parameter;
  const values = isFloat32Array(data) ? ` ${preview(data, shape ?? [lengthOf(data)])}` : '';
  return `Parameter${name === undefined ? '' : ` '${name}'`}${values}`;
}

/** The candidate nearest to `word` by edit distance, if it is near enough to be a slip. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plain(word), plain(candidate));
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
