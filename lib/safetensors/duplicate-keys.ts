/** Keys that stand twice in an object of a JSON text: `JSON.parse` keeps the last in silence. */

/**
 * The first key that an object of the text has twice, or undefined.
 * @param text What `JSON.parse` has accepted.
 */
export function findDuplicateKey(text: string): string | undefined {
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

/** Beyond the closing quote of the string that begins here. */
function endOfString(text: string, begin: number): number {
  let i = begin + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}
