/** Keys that stand twice in an object of a JSON text: `JSON.parse` keeps the last in silence. */

/**
 * The first key that an object of the text has twice, or undefined.
 * @param value What `JSON.parse` has made of the text: it has fewer keys then.
 */
export function findDuplicateKey(text: string, value: unknown): string | undefined {
  return countKeys(text) === countKeysOf(value) ? undefined : searchDuplicateKey(text);
}

/** A string is a key when a colon follows. */
function countKeys(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    at = endOfString(text, at);
    while (SPACE.includes(text[at]!)) at++;
    if (text[at] === ':') count++;
  }
  return count;
}

const SPACE = ' \t\n\r';

function countKeysOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside = Object.values(value);
  let count = Array.isArray(value) ? 0 : inside.length;
  for (const one of inside) if (typeof one === 'object') count += countKeysOf(one);
  return count;
}

function searchDuplicateKey(text: string): string | undefined {
  const seen: (Set<string> | undefined)[] = []; // by depth; undefined for arrays
  let isKey = false;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i]!;
    if (sign === '"') {
      const end = endOfString(text, i);
      const keys = seen.at(-1);
      if (isKey && keys !== undefined) {
        const key = JSON.parse(text.slice(i, end)) as string;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      isKey = false;
      i = end - 1;
    } else if (sign === '{' || sign === '[') {
      seen.push(sign === '{' ? new Set() : undefined);
      isKey = sign === '{';
    } else if (sign === '}' || sign === ']') {
      seen.pop();
    } else if (sign === ',') {
      isKey = seen.at(-1) !== undefined;
    }
  }
  return undefined;
}

/**
 * Beyond the closing quote of the string that begins here: one with an even number of \\ before; of
 * a text that ends before it, its end.
 */
export function endOfString(text: string, begin: number): number {
  for (let quote = text.indexOf('"', begin + 1); ; quote = text.indexOf('"', quote + 1)) {
    if (quote < 0) return text.length;
    let before = quote - 1;
    while (text[before] === '\\') before--;
    if ((quote - before) % 2 === 1) return quote + 1;
  }
}
