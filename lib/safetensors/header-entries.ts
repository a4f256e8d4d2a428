/**
 * The entries of the header's JSON, one by one: a hostile header then costs no more memory than what
 * is right in it, no more stack than a small one, and the event loop may turn in between.
 */

import { endOfString } from './duplicate-keys.ts';
import { refuseFile } from './refuse.ts';

/** @throws {GradstepError} `ERR_SAFETENSORS`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return refuseJson(cause);
  }
}

function refuseJson(cause?: unknown): never {
  return refuseFile('Expected the header to be JSON in UTF-8', cause);
}

/**
 * Name and text of each value in the text of an object, whose values may be strings, objects
 * without objects inside, and numbers.
 *
 * @throws {GradstepError} `ERR_SAFETENSORS` for a name that stands twice, and for what is no JSON.
 */
export function* entriesOf(text: string): Generator<readonly [name: string, value: string]> {
  const names = new Set<string>();
  let at = skipSpace(text, 1);
  if (text[at] !== '}') at -= 1; // as if a comma stood before the first
  while (text[at] !== '}') {
    const begin = skipSpace(text, at + 1);
    if (text[begin] !== '"') refuseJson();
    const end = endOfString(text, begin);
    const name = parseJson(text.slice(begin, end)) as string;
    if (names.has(name)) refuseFile(`Expected each name once but the header has '${name}' twice`);
    names.add(name);
    const colon = skipSpace(text, end);
    if (text[colon] !== ':') refuseJson();
    const from = skipSpace(text, colon + 1);
    const to = endOfValue(text, from, name);
    yield [name, text.slice(from, to)];
    at = skipSpace(text, to);
    if (text[at] !== ',' && text[at] !== '}') refuseJson();
  }
  if (skipSpace(text, at + 1) < text.length) refuseJson();
}

function skipSpace(text: string, at: number): number {
  const space = /[ \t\n\r]*/y;
  space.lastIndex = at;
  space.test(text);
  return space.lastIndex;
}

function endOfValue(text: string, begin: number, name: string): number {
  if (text[begin] === '"') return endOfString(text, begin);
  const sign = text[begin] === '{' ? /["{}]/g : /[,}]/g;
  sign.lastIndex = begin + 1;
  for (let found = sign.exec(text); found !== null; found = sign.exec(text)) {
    if (found[0] === ',') return found.index;
    if (found[0] === '}') return text[begin] === '{' ? sign.lastIndex : found.index;
    if (found[0] === '{') refuseFile(`Expected no object in that of '${name}' in the header`);
    sign.lastIndex = endOfString(text, found.index);
  }
  return refuseJson();
}
