/** State dicts with anything in place of anything: loaded whole, or refused and nothing changed. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GradstepError, type OptimizerStateDict } from '../../lib/index.ts';
import { onEachBackend } from '../support/helpers.ts';
import { bitsOf, type Dict, ROWS, Run, replaceAt } from './runs.ts';

const detached = () => {
  const array = new Float32Array(19);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
};

const junk: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => -1,
  () => 0,
  () => 1.5,
  () => 2 ** 53,
  () => '',
  () => '1',
  () => true,
  () => 3n,
  () => [],
  () => ({}),
  () => [[[]]],
  () => () => 1,
  () => Symbol('s'),
  () => new Date(0),
  () => new Map(),
  () => new DataView(new ArrayBuffer(8)),
  () => new Float32Array(0),
  () => new Float32Array(18),
  () => new Float64Array(19),
  () => new Int32Array(19),
  () => new Float32Array(new SharedArrayBuffer(20)),
  detached,
  () => new Proxy([], { get: () => Number.NaN }),
  () => new Proxy({}, { ownKeys: () => ['a'], getOwnPropertyDescriptor: () => undefined }),
  () => Object.defineProperty(new Float32Array(4), 'length', { value: 19 }),
  () => Object.create(null, { toString: { get: () => 1 } }),
];

/** Every place in a dict: the way of keys to it. */
function paths(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [path];
  return [path, ...Object.entries(value).flatMap(([key, part]) => paths(part, [...path, key]))];
}

class Mine extends Error {}

const changes: readonly ((holder: Dict, key: string) => void)[] = [
  ...junk.map((make) => (holder: Dict, key: string) => {
    holder[key] = make();
  }),
  (holder, key) => delete holder[key],
  (holder, key) => {
    holder[`${key}x`] = holder[key];
  },
  (holder, key) => {
    holder[key] = holder; // contains itself
  },
  (holder, key) => {
    Object.defineProperty(holder, key, {
      enumerable: true,
      get() {
        throw new Mine();
      },
    });
  },
];

onEachBackend(() => {
  it.each(ROWS.map((row) => [row.name, row] as const))(
    'is %s as before, or loaded whole, whatever has been replaced by whatever',
    (_name, row) => {
      const source = new Run(row, row.withState).step(1, 4).edit();
      const dict = source.optimizer.stateDict();
      const places = paths(dict).filter((path) => path.length > 0);
      const target = new Run(row, row.other).step(1, 3);
      const before = bitsOf(target.optimizer.stateDict());
      const original = target.optimizer.stateDict();
      const property = fc.property(
        fc.constantFrom(...places),
        fc.constantFrom(...changes),
        fc.constantFrom<object>({}, { strict: false }, { options: 'keep' }),
        (place, change, options) => {
          const wrong = structuredClone(dict) as unknown as Dict;
          replaceAt(wrong, place, change);
          try {
            target.optimizer.loadStateDict(wrong as unknown as OptimizerStateDict, options);
          } catch (error) {
            if (!(error instanceof Mine) && !(error instanceof TypeError)) {
              expect(error).toBeInstanceOf(GradstepError);
              expect((error as GradstepError).code).not.toBe('ERR_INTERNAL');
            }
            expect(bitsOf(target.optimizer.stateDict())).toEqual(before);
            return;
          }
          // It was no mistake: then it is a whole state, which can be stepped and saved.
          target.step(5, 6);
          const again = new Run(row, {}).optimizer;
          again.loadStateDict(structuredClone(target.optimizer.stateDict()));
          expect(bitsOf(again.stateDict())).toEqual(bitsOf(target.optimizer.stateDict()));
          target.optimizer.loadStateDict(original);
        },
      );
      fc.assert(property, { numRuns: 300 });
      expect(bitsOf(target.optimizer.stateDict())).toEqual(before);
    },
  );
});
