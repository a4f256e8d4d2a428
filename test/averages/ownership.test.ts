/** What an average borrows, who keeps it, and who may be told of it when. */

import { describe, expect, it } from 'vitest';
import {
  type Average,
  combine,
  EMA,
  getNumThreads,
  Optimizer,
  Parameter,
  ParameterArena,
  SGD,
  SWA,
  setNumThreads,
  stepAll,
} from '../../lib/index.ts';
import { collectAll } from '../support/collect-garbage.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

type Floats = Float32Array<ArrayBufferLike>;

const transfer = (array: Floats) =>
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });

class Own extends Optimizer<{ lr: number }> {
  static defaults = { lr: 1 };
  override update({ data, grad }: { data: Floats; grad: Floats }): void {
    for (let i = 0; i < data.length; i++) data[i]! -= grad[i]!;
  }
}

onEachBackend((name) => {
  describe('an average that only its optimizer remembers', () => {
    it.each<[string, (o: SGD) => unknown]>([
      ['the optimizer', (o) => o],
      ['a combination that nobody remembers either', (o) => combine([o])],
    ])('is kept by %s', async (_what, followed) => {
      const p = parameter(1000);
      const o = new SGD([p], { lr: 0.1 });
      (() => new EMA([p]).attach(followed(o) as SGD).update())();
      await collectAll();
      for (let i = 0; i < 3; i++) o.step();
      expect(p.data[0]).toBeCloseTo(1 - 0.3 * 0.1);
    });

    it('goes with it', async () => {
      const gone = (() => {
        const p = parameter(10);
        const o = new SGD([p]);
        const ema = new EMA([p]).attach(o);
        o.step();
        stepAll([o, new SGD([parameter()])]);
        return [new WeakRef(o), new WeakRef(ema)];
      })();
      for (let i = 0; i < 10 && gone.some((ref) => ref.deref()); i++) await collectAll();
      expect(gone.map((ref) => ref.deref())).toEqual([undefined, undefined]);
    });

    it('still counts', async () => {
      const p = new Parameter([1]);
      const o = new SGD([p], { lr: 1 });
      const averages = (() => new SWA([p]).attach(o).averages)();
      await collectAll();
      for (const grad of [1, 2]) {
        p.ensureGrad().fill(grad);
        o.step();
      }
      expect([...averages.get(p)!]).toEqual([-1]); // of 0 and -2
    });
  });

  it('reads no further than an array that came in the place of an arena’s', () => {
    const arena = new ParameterArena([[3], [3]]);
    arena.grad.fill(1);
    const [p, q] = arena.parameters;
    const ema = new EMA(arena.parameters, { decay: 0.5 });
    ema.update();
    // Side by side as in an arena, but nothing of it; and one that ends with its memory.
    const memory = new Float32Array(19);
    memory.fill(7, 3, 16);
    const redefine = (parameter: object, value: Floats) =>
      Object.defineProperty(parameter, 'data', { value, configurable: true });
    redefine(p!, memory.subarray(0, 3));
    redefine(q!, memory.subarray(16, 19));
    memory.set([2, 2, 2]);
    memory.set([4, 4, 4], 16);
    ema.update();
    const [a, b] = arena.parameters.map((parameter) => ema.averages.get(parameter)!);
    expect([[...a!], [...b!]]).toEqual([
      [1, 1, 1],
      [2, 2, 2],
    ]);
    expect(new Float32Array(a!.buffer, a!.byteOffset, 16)[5]).toBe(0);
    redefine(q!, new Float32Array(3).fill(2));
    ema.update();
    expect([...b!]).toEqual([2, 2, 2]);
  });

  it('gives the bits of one after the other when its memory comes between two optimizers', () => {
    const threads = getNumThreads();
    setNumThreads(2);
    const run = (together: boolean) => {
      const [p, q] = [parameter(300_000), parameter(300_000)];
      const a = new SGD([p], { lr: 0.5 });
      const b = new SGD([q], { lr: 0.25 });
      const step = () => {
        if (together) return stepAll([a, b]);
        a.step();
        b.step();
      };
      step();
      const ema = new EMA([q, p], { decay: 0.5 }).attach(a);
      for (let i = 0; i < 5; i++) step();
      const followed = new SGD([{ data: ema.averages.get(q)!, grad: q.grad! }], { lr: 1 });
      for (let i = 0; i < 3; i++) {
        if (together) stepAll([a, followed, b]);
        else for (const o of [a, followed, b]) o.step();
      }
      return [p.data, q.data, ...ema.averages.values()].map(bits);
    };
    const apart = run(false);
    for (let i = 0; i < 3; i++) expect(run(true)).toEqual(apart);
    setNumThreads(threads);
  });

  describe('the order of effects', () => {
    /** p = 10, a subtracts 1, b subtracts 2 more. */
    const two = () => {
      const p = new Parameter([10]);
      p.ensureGrad().fill(1);
      return { p, a: new SGD([p], { lr: 1 }), b: new SGD([p], { lr: 2 }) };
    };
    const averaged = (average: Average, p: Parameter) => average.averages.get(p)![0];

    it('takes in what its own optimizer has left, before the next one steps', () => {
      const { p, a, b } = two();
      const averages = [new SWA([p]).attach(a), new SWA([p]).attach(b)];
      stepAll([a, b]);
      expect([p.data[0], ...averages.map((average) => averaged(average, p))]).toEqual([7, 9, 7]);
    });

    it('is that of the steps also where the average cannot go along', () => {
      const { p, a, b } = two();
      const other = new Parameter([5]);
      const average = new SWA([other, p]).attach(a);
      stepAll([a, b]);
      expect([averaged(average, p), averaged(average, other)]).toEqual([9, 5]);
    });

    it('updates an average of a combination when its last optimizer has been stepped', () => {
      const { p, a } = two();
      const q = new Parameter([10]);
      q.ensureGrad().fill(1);
      const both = combine([a, new SGD([q], { lr: 3 })]);
      const all = new SWA([p, q]).attach(both);
      const inner = new SWA([q, p]).attach(a);
      both.step();
      expect([averaged(all, p), averaged(all, q)]).toEqual([9, 7]);
      expect([averaged(inner, p), averaged(inner, q)]).toEqual([9, 10]);
    });

    it('leaves an average of a combination alone when one of its optimizers steps by itself', () => {
      const { p, a } = two();
      const only = combine([a]);
      const average = new SWA([p]).attach(only);
      a.step();
      stepAll([a]);
      expect(average.nAveraged).toBe(0);
      only.step();
      expect([average.nAveraged, averaged(average, p)]).toEqual([1, 7]);
    });

    it('has averaged when a post hook throws', () => {
      const { p, a } = two();
      a.registerStepPostHook(() => {
        throw new RangeError('mine');
      });
      const average = new SWA([p]).attach(a);
      expect(() => a.step()).toThrow('mine');
      expect([average.nAveraged, averaged(average, p)]).toEqual([1, 9]);
    });

    it('puts users’ updates last, and what follows them right after', () => {
      const { p, a } = two();
      const own = new Own([p]);
      const [ofOwn, ofA] = [own, a].map((o) => new SWA([p]).attach(o));
      stepAll([own, a]);
      expect([p.data[0], averaged(ofA!, p), averaged(ofOwn!, p)]).toEqual([8, 9, 8]);
      const q = new Parameter([10]);
      q.ensureGrad().fill(1);
      const both = combine([own, new SGD([q], { lr: 1 })]);
      const all = new SWA([p, q]).attach(both);
      both.step();
      expect([averaged(all, p), averaged(all, q), ofOwn!.nAveraged]).toEqual([7, 9, 2]);
    });

    it('zeroes gradients when all have read them', () => {
      const { p, a, b } = two();
      a.stepOptions.zeroGradInStep = true;
      const grads = { data: p.grad! };
      const average = new SWA([grads]).attach(a);
      const own = new Own([{ data: new Float32Array(1), grad: p.grad! }]);
      stepAll([own, a, b]);
      expect([p.data[0], p.grad![0], average.averages.get(grads)![0]]).toEqual([7, 0, 1]);
      expect(own.paramGroups[0]!.params[0]!.data[0]).toBe(-1);
    });
  });

  describe('a step that fails has changed nothing', () => {
    it('where the average cannot count any further', () => {
      const p = new Parameter([1]);
      p.ensureGrad().fill(1);
      const o = new SGD([p], { lr: 1 });
      const ema = new EMA([p]).attach(o);
      ema.nAveraged = Number.MAX_SAFE_INTEGER - 1;
      o.step();
      expect(ema.nAveraged).toBe(Number.MAX_SAFE_INTEGER);
      for (const step of [() => o.step(), () => ema.update(), () => stepAll([o])]) {
        expectError(step, 'ERR_OVERFLOW', 'counts up to');
      }
      expect([p.data[0], ema.nAveraged]).toEqual([0, Number.MAX_SAFE_INTEGER]);
      ema.nAveraged = 0;
      o.step();
    });

    it('where one of several backends refuses, or a gradient of a user’s optimizer', () => {
      const [p, q] = [parameter(3), parameter(3)];
      const a = new SGD([p], { lr: 1 });
      const own = new Own([q], { onNonFinite: 'error' } as never);
      q.grad![2] = Number.NaN;
      const ema = new EMA([p]).attach(a);
      const before = bits(p.data);
      for (const step of [() => stepAll([a, own]), () => combine([a, own]).step()]) {
        expectError(step, 'ERR_NON_FINITE', 'at index 0');
      }
      expect([bits(p.data), ema.nAveraged, a.lastStep]).toEqual([before, 0, undefined]);
      q.grad![2] = 0;
      stepAll([a, own]);
      expect(ema.nAveraged).toBe(1);
    });

    it('while an average without elements is gone', () => {
      const [p, empty] = [parameter(3), { data: new Float32Array(0) }];
      const o = new SGD([p], { lr: 1 });
      const ema = new EMA([p, empty]).attach(o);
      o.step();
      ema.swap();
      const held = bits(p.data);
      transfer(empty.data);
      expectError(() => ema.restore(), 'ERR_DETACHED', 'at index 1');
      expect([bits(p.data), ema.swapped]).toEqual([held, true]);
      empty.data = new Float32Array(0);
      ema.restore();
      transfer(empty.data);
      const before = bits(p.data);
      expectError(() => o.step(), 'ERR_DETACHED', 'at index 1');
      for (const call of [() => ema.update(), () => ema.swap()]) {
        expectError(call, 'ERR_DETACHED', 'at index 1');
      }
      expect([bits(p.data), ema.nAveraged, ema.swapped]).toEqual([before, 1, false]);
    });
  });

  describe('attach and detach', () => {
    it('refuse what is disposed of, and nothing is left of the attempt', () => {
      const p = parameter(2);
      const [o, other] = [new SGD([p]), new SGD([p])];
      const ema = new EMA([p]);
      o.dispose();
      expectError(() => ema.attach(o), 'ERR_DISPOSED', 'disposed');
      expectError(() => ema.attach(combine([other])).attach(o), 'ERR_INVALID_ARGUMENT', 'detach()');
      ema.detach();
      ema.attach(other);
      other.step();
      expect(ema.nAveraged).toBe(1);
    });

    it('call nothing that a user may have replaced', () => {
      const p = parameter(2);
      const o = new SGD([p]);
      const ema = new EMA([p]);
      o.registerStepPostHook = () => {
        ema.attach(new SGD([p]));
        throw new Error('never called');
      };
      ema.attach(o);
      o.step();
      expect(ema.nAveraged).toBe(1);
    });

    it('are refused in the middle of a step, and of both sides of it', () => {
      const w = parameter(2);
      const others: [string, () => unknown][] = [];
      const sly = {
        grad: w.grad,
        get data() {
          for (const [text, call] of others) expectError(call, 'ERR_BUSY', text);
          return w.data;
        },
      };
      const o = new SGD([sly], { lr: 1 });
      const [ema, idle] = [new EMA([w]).attach(o), new EMA([w])];
      const inside = 'inside a step of the same optimizer';
      others.push(
        [inside, () => ema.detach()],
        [inside, () => idle.attach(o)],
        [inside, () => idle.attach(combine([o]))],
        [inside, () => o.dispose()],
        ['being updated', () => ema.dispose()],
        ['being updated', () => ema.update()],
        ['being updated', () => ema.swap()],
      );
      o.step();
      others.length = 0;
      expect([ema.nAveraged, idle.nAveraged]).toEqual([1, 0]);
    });

    it('may stand in hooks, where they count for the step that is under way', () => {
      const p = parameter(2);
      const o = new SGD([p]);
      const [early, late] = [new EMA([p]), new EMA([p])];
      o.registerStepPreHook(() => void (early.nAveraged === 0 && early.attach(o)));
      o.registerStepPostHook(() => void (late.nAveraged === 0 && late.attach(o)));
      o.registerStepPostHook(() => void late.detach());
      o.step();
      expect([early.nAveraged, late.nAveraged]).toEqual([1, 0]);
      const ending = o.registerStepPreHook(() => early.dispose());
      o.step();
      ending.remove();
      o.step();
    });

    it('keep out while a step is in the background, and let options be set for the next', async () => {
      const { parameters } = new ParameterArena([[200_000]]);
      parameters[0]!.ensureGrad().fill(1);
      const o = new SGD(parameters, { lr: 1 });
      const ema = new EMA(parameters, { decay: 0.5 }).attach(o);
      ema.nAveraged = 1;
      const stepping = o.stepAsync();
      const calls = [
        () => ema.update(),
        () => ema.swap(),
        () => ema.detach(),
        () => ema.dispose(),
        () => o.dispose(),
        () => {
          ema.nAveraged = 3;
        },
      ];
      for (const call of calls) expectError(call, 'ERR_BUSY', 'asynchronous step');
      ema.decay = 1;
      await stepping;
      expect(ema.averages.get(parameters[0]!)![7]).toBe(-0.5);
      await o.stepAsync();
      expect(ema.averages.get(parameters[0]!)![7]).toBe(-0.5);
      expect(ema.nAveraged).toBe(3);
    });

    it('follow no step in the background over memory that may go away', async () => {
      const { parameters } = new ParameterArena([[4]]);
      const o = new SGD(parameters);
      const ema = new EMA([...parameters, parameter(2, 'loose')]).attach(o);
      await expect(o.stepAsync()).rejects.toMatchObject({ code: 'ERR_NOT_SHARED' });
      expect(ema.nAveraged).toBe(0);
      o.step();
      expect(ema.nAveraged).toBe(1);
    });
  });

  it('a step waits for asynchronous ones that work on its average', async () => {
    const { parameters, data } = new ParameterArena([[3_000_000]]);
    const [p] = parameters;
    p!.ensureGrad().fill(1);
    const a = new SGD(parameters, { lr: 1 });
    const ema = new EMA(parameters).attach(a);
    const grad = new Float32Array(new SharedArrayBuffer(12_000_000));
    const averages = { data: ema.averages.get(p!)!, grad };
    const stepping = new SGD([averages], { lr: 1 }).stepAsync();
    if (name === 'native') {
      expectError(() => a.step(), 'ERR_BUSY', 'at index 0');
      expect([data[0], a.lastStep, ema.nAveraged]).toEqual([0, undefined, 0]);
    }
    await stepping;
    a.step();
    expect([data[0], ema.nAveraged]).toEqual([-1, 1]);
  });
});
