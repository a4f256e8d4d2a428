/** Keys that stand twice, wherever they are, and texts that only look as if. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findDuplicateKey } from '../../lib/safetensors/duplicate-keys.ts';

const find = (text: string) => findDuplicateKey(text, JSON.parse(text));

it.each([
  ['{"a":1,"b":{"c":2,"c":3}}', 'c'],
  ['{"a" : [ {"x":1}, {"x":1,\n"\\u0078"\t:2} ]}', 'x'],
  ['{"\\\\":1,"\\\\":2}', '\\'],
  ['{"\\\\\\"":1,"a":"\\\\","\\\\\\"":2}', '\\"'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ['{"7":1,"7":1}', '7'],
])('%s', (text, key) => {
  expect(find(text)).toBe(key);
});

it.each([
  '{"a":"\\"a\\":","b":"a:","c":["a",":"]}',
  '{"a":{"a":{"a":1}},"b":{"a":2}}',
  '{"__proto__":{"a":1},"constructor":"\\\\\\\\"}',
  '[]',
  '"a"',
])('%s has none', (text) => {
  expect(find(text)).toBeUndefined();
});

it('what JSON.stringify writes has none, whatever it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, space) => {
      expect(find(JSON.stringify(value, null, space))).toBeUndefined();
    }),
    { seed: 5 },
  );
});
