/** State dicts with anything in place of anything: loaded whole, or refused and nothing changed. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  Adam,
  combine,
  EMA,
  ExponentialLR,
  GradScaler,
  GradstepError,
  LambdaLR,
  loadModelStateDict,
  modelStateDict,
  OneCycleLR,
  ParameterArena,
  ReduceLROnPlateau,
  SequentialLR,
  SGD,
  StepLR,
  schedule,
} from '../../lib/index.ts';
import { HasStateDict } from '../../lib/state-dict/has-state-dict.ts';
import { onEachBackend, parameter } from '../support/helpers.ts';
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

/** What is saved and loaded: state as plain data. */
interface Saved {
  save(): unknown;
  load(dict: never, options: object): unknown;
}

/** Loads dicts with something replaced: each leaves the target as it was, or is a whole state. */
function spoil(dict: unknown, target: Saved, numRuns: number, whole: () => void = () => {}): void {
  const places = paths(dict).filter((path) => path.length > 0);
  const before = bitsOf(target.save());
  const original = structuredClone(target.save());
  const property = fc.property(
    fc.constantFrom(...places),
    fc.constantFrom(...changes),
    fc.constantFrom<object>({}, { strict: false }, { options: 'keep' }),
    (place, change, options) => {
      const wrong = structuredClone(dict) as Dict;
      replaceAt(wrong, place, change);
      try {
        target.load(wrong as never, options);
      } catch (error) {
        if (!(error instanceof Mine) && !(error instanceof TypeError)) {
          expect(error).toBeInstanceOf(GradstepError);
          expect((error as GradstepError).code).not.toBe('ERR_INTERNAL');
        }
        expect(bitsOf(target.save())).toEqual(before);
        return;
      }
      whole();
      target.load(structuredClone(target.save()) as never, {});
      target.load(original as never, {});
    },
  );
  fc.assert(property, { numRuns });
  expect(bitsOf(target.save())).toEqual(before);
}

/** Something with its own methods as what is saved. */
const own = (target: {
  stateDict(): unknown;
  loadStateDict(dict: never, o?: object): unknown;
}) => ({
  save: () => target.stateDict(),
  load: (dict: never, options: object) =>
    target instanceof HasStateDict
      ? target.loadStateDict(dict, options)
      : target.loadStateDict(dict),
});

onEachBackend(() => {
  it.each(ROWS.map((row) => [row.name, row] as const))(
    'is %s as before, or loaded whole, whatever has been replaced by whatever',
    (_name, row) => {
      const source = new Run(row, row.withState).step(1, 4).edit();
      const target = new Run(row, row.other).step(1, 3);
      spoil(source.optimizer.stateDict(), own(target.optimizer), 300, () => {
        // It was no mistake: then it is a state that can be stepped, and loaded elsewhere.
        target.step(5, 6);
        const again = new Run(row, {}).optimizer;
        again.loadStateDict(structuredClone(target.optimizer.stateDict()));
        expect(bitsOf(again.stateDict())).toEqual(bitsOf(target.optimizer.stateDict()));
      });
    },
  );

  const others: Record<string, () => [source: unknown, target: Saved]> = {
    EMA() {
      const make = () => new EMA(Object.entries({ a: parameter(3), b: parameter(19) }));
      const [source, target] = [make(), make()];
      source.update();
      return [source.stateDict(), own(target)];
    },
    combine() {
      const make = () => combine([new SGD([parameter(3)]), new Adam([parameter(19)])]);
      const [source, target] = [make(), make()];
      source.step();
      return [source.stateDict(), own(target)];
    },
    'a model'() {
      const make = () => new ParameterArena({ a: [2, 2], b: [19] });
      const [source, target] = [make(), make()];
      source.data.fill(1);
      const load = (dict: never, { strict = true }: { strict?: boolean }) =>
        loadModelStateDict(target, dict, { strict });
      return [modelStateDict(source), { save: () => modelStateDict(target), load }];
    },
    GradScaler() {
      const source = new GradScaler({ initScale: 2, growthInterval: 3 });
      return [source.stateDict(), own(new GradScaler())];
    },
    ...Object.fromEntries(
      [
        (o: Adam) => new StepLR(o, { stepSize: 2 }),
        (o: Adam) => new ReduceLROnPlateau(o, { minLr: [0, 0.1] }),
        (o: Adam) => new OneCycleLR(o, { maxLr: 1, totalSteps: 9 }),
        (o: Adam) => new LambdaLR(o, { lrLambda: () => 0.5 }),
        (o: Adam) =>
          new SequentialLR(o, {
            schedulers: [new StepLR(o, { stepSize: 2 }), new ExponentialLR(o, { gamma: 0.5 })],
            milestones: [2],
          }),
        (o: Adam) => schedule(o, { lr: (step) => 1 / (step + 1) }, { mode: 'multiplicative' }),
      ].map((make) => {
        const optimizer = () =>
          new Adam([{ params: parameter(3) }, { params: parameter(19), lr: 0.5 }]);
        const run = (): [unknown, Saved] => {
          const source = make(optimizer());
          for (let i = 0; i < 3; i++) source.step(i + 1);
          const mine = optimizer();
          const target = make(mine);
          const both = own(target);
          const lrs = () => mine.paramGroups.map(({ lr, betas }) => [lr, ...betas]);
          return [
            source.stateDict(),
            { ...both, save: () => ({ ...(both.save() as object), lrs: lrs() }) },
          ];
        };
        return [make(optimizer()).constructor.name, run];
      }),
    ),
  };

  it.each(Object.keys(others))('is the same with %s', (name) => {
    spoil(...others[name]!(), 200);
  });
});
