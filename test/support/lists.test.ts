/** Lists in place, against a copy; values that lie in their objects. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { takeOut } from '../../lib/support/lists.ts';
import { stamps } from '../../lib/support/stamps.ts';

it('takes out what stands at the places, also beyond the end', () => {
  const places = fc.uniqueArray(fc.nat(30)).map((list) => list.sort((a, b) => a - b));
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 25 }), places, (list, gone) => {
      const expected = list.filter((_, i) => !gone.includes(i));
      takeOut(list, gone);
      expect(list).toEqual(expected);
    }),
  );
});

it('keeps values in objects, apart from each other and out of sight', () => {
  const [a, b] = [stamps<number>(), stamps<number>()];
  const object = Object.freeze({ own: 1 });
  a.set(object, 2);
  expect([a.get(object), b.get(object)]).toEqual([2, undefined]);
  a.set(object, 3);
  b.set(object, 4);
  expect([a.get(object), b.get(object), Reflect.ownKeys(object)]).toEqual([3, 4, ['own']]);
  expect([a.get(Object.create(object)), a.get(new Proxy(object, {}))]).toEqual([
    undefined,
    undefined,
  ]);
});
