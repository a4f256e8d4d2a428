/** Many optimizers stepped at once. */

import { describe, expect, it } from 'vitest';
import {
  Adam,
  type AnyOptimizer,
  combine,
  Parameter,
  SGD,
  setBackend,
  stepAll,
} from '../../lib/index.ts';
import { made } from '../optimizer/made.ts';
import { MyLion } from '../optimizer/my-lion.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

onEachBackend((backend) => {
  it('steps a thousand, as each would alone', () => {
    const models = Array.from({ length: 1000 }, (_, i) => parameter(1 + (i % 7)));
    const apart = models.map(({ length }) => parameter(length));
    const [together, alone] = [models, apart].map((params) =>
      params.map((p, i) => (i % 2 ? new Adam([p]) : new SGD([p], { momentum: 0.9 }))),
    );
    for (let t = 0; t < 3; t++) {
      stepAll(new Set(together));
      for (const o of alone!) o.step();
    }
    expect(models.map(({ data }) => bits(data))).toEqual(apart.map(({ data }) => bits(data)));
  });

  it('runs hooks, and steps both backends and those that users wrote', () => {
    const [w, v, own] = [parameter(), parameter(), parameter()];
    const first = new SGD([w], { lr: 1 });
    setBackend(backend === 'native' ? 'portable' : 'native');
    const second = new SGD([v], { lr: 1 });
    setBackend(backend);
    const log: string[] = [];
    const third = new (made(() => void log.push('own')))([own]);
    first.registerStepPreHook(() => void log.push('pre'));
    second.registerStepPostHook(() => void log.push('post'));
    stepAll([third, first, second]);
    expect(log).toEqual(['pre', 'own', 'post']);
    expect(bits(w.data)).toEqual(bits(v.data));
    expect(w.data[0]).toBeCloseTo(0.9);
  });

  it('checks all before the first, and runs users’ updates last', () => {
    const [w, v] = [parameter(), parameter(100_000)];
    const taking = made(() => {
      for (const array of [v.data, v.grad!]) {
        structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
      }
    });
    const [own, sgd] = [new taking([w]), new SGD([v], { momentum: 0.9 })];
    stepAll([own, sgd]);
    expect(sgd.state.size).toBe(1);
    expectError(() => stepAll([own, sgd]), 'ERR_DETACHED', 'index 0');
    v.data = new Float32Array(100_000);
    v.grad = new Float32Array(3);
    expectError(() => stepAll([own, sgd]), 'ERR_INVALID_GRADIENT', 'index 0');
    expect(own.state.get(w)!.step).toBe(1);
  });

  it('changes nothing when the options of one give what float32 cannot hold', () => {
    const [w, v, own] = [parameter(), parameter(), parameter()];
    const optimizers = [
      new MyLion([own]),
      new Adam([w]),
      new Adam([v], { lr: 3e38, betas: [0.9, 0.999] }),
    ];
    const before = [w, v, own].map(({ data }) => bits(data));
    for (const step of [() => stepAll(optimizers), () => combine(optimizers).step()]) {
      expectError(step, 'ERR_OVERFLOW', 'parameter at index 0');
      expect([w, v, own].map(({ data }) => bits(data))).toEqual(before);
      expect(optimizers.map(({ state }) => state.size)).toEqual([0, 0, 0]);
    }
    optimizers[2]!.paramGroups[0]!.lr = 1;
    stepAll(optimizers);
    expect(optimizers.map(({ state }) => state.size)).toEqual([1, 1, 1]);
  });

  it('leaves built-in optimizers stepped when a user’s update fails', () => {
    const [w, v] = [parameter(), parameter()];
    const failing = made(() => {
      throw new RangeError('mine');
    });
    const adam = new Adam([v]);
    expectError(() => stepAll([new failing([w]), adam]), 'ERR_UPDATE', 'mine');
    expect(adam.state.get(v)!.step).toBe(1);
    adam.step();
  });
});

describe('the native backend', () => {
  it('cannot lose memory to a patched iterator between proof and update', () => {
    const prototypes = [[][Symbol.iterator](), new Set()[Symbol.iterator]()].map(
      (iterator) => Object.getPrototypeOf(iterator) as { next(): IteratorResult<unknown> },
    );
    let reached = true;
    for (let turn = 1; reached; turn++) {
      const params = [parameter(50_000), parameter(50_000)];
      const optimizers = params.map((p) => new SGD([p], { momentum: 0.9 }));
      const { data } = params[1]!;
      const first = data[0]!;
      let seen: number | undefined; // the first value when the memory was taken away
      const restore = spyOnEnds(prototypes, turn, () => {
        seen = data[0]!;
        structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
      });
      let error: unknown;
      try {
        stepAll(optimizers);
      } catch (thrown) {
        error = thrown;
      } finally {
        restore();
      }
      reached = seen !== undefined;
      // Before the proof it is found out; when it is not, the step was over.
      expect(seen === first, `turn ${turn}`).toBe(error !== undefined);
      if (error !== undefined) expect(error).toMatchObject({ code: 'ERR_DETACHED' });
      else expect(optimizers[1]!.state.has(params[1]!)).toBe(true);
    }
  });
});

/** Acts at the given end of an iteration, counted over these prototypes; once. */
function spyOnEnds(
  prototypes: readonly { next(): IteratorResult<unknown> }[],
  turn: number,
  act: () => void,
): () => void {
  let ends = 0;
  const originals = prototypes.map(({ next }) => next);
  prototypes.forEach((prototype, i) => {
    prototype.next = function (this: unknown) {
      const result = originals[i]!.call(this as never);
      if (result.done && ++ends === turn) act();
      return result;
    };
  });
  return () => {
    prototypes.forEach((prototype, i) => {
      prototype.next = originals[i]!;
    });
  };
}

describe('what is no list of optimizers', () => {
  const sgd = new SGD([new Parameter([1])]);
  it.each<[what: string, given: unknown, text: string]>([
    ['nothing', undefined, 'a list of optimizers but received undefined'],
    ['an optimizer', sgd, 'a list of optimizers but received an instance of SGD'],
    ['a parameter', [new Parameter([1])], 'received an instance of Parameter at index 0'],
    ['null', [sgd, null], 'received null at index 1'],
    ['an impostor', [Object.create(sgd)], 'at index 0'],
    ['one twice', [sgd, sgd], 'received an instance of SGD twice at index 1'],
    ['one twice, combined', [combine([sgd]), sgd], 'twice at index 1'],
  ])('%s is refused', (_what, given, text) => {
    expectError(() => combine(given as never), 'ERR_INVALID_ARGUMENT', text);
    expectError(() => stepAll(given as AnyOptimizer[]), 'ERR_INVALID_ARGUMENT', text);
  });
});
