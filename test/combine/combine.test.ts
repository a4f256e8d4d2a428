/** Several optimizers as one. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  Adam,
  AdamW,
  combine,
  EMA,
  type ParameterLike,
  registerOptimizerStepPreHook,
  SGD,
  stepAll,
} from '../../lib/index.ts';
import { MyLion } from '../optimizer/my-lion.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

onEachBackend(() => {
  const pair = () => {
    const [w, v] = [parameter(3, 'w'), parameter(5, 'v')];
    const [adam, sgd] = [new AdamW([w], { lr: 0.1 }), new SGD([v], { lr: 0.5, momentum: 0.9 })];
    return { w, v, adam, sgd, both: combine([adam, sgd]) };
  };

  it('steps all, as each would alone', () => {
    const { w, v, both, adam } = pair();
    const apart = pair();
    for (let t = 0; t < 5; t++) {
      both.step();
      apart.adam.step();
      apart.sgd.step();
    }
    expect(bits(w.data)).toEqual(bits(apart.w.data));
    expect(bits(v.data)).toEqual(bits(apart.v.data));
    expect(both.optimizers[0]).toBe(adam);
    expect(both.state.get(w)).toBe(adam.state.get(w));
    adam.step();
    expect(adam.state.get(w)!.step).toBe(6);
  });

  it('calls the closure once and returns the loss', () => {
    const { w, v, both } = pair();
    let calls = 0;
    const before = bits(v.data);
    const loss = both.step(() => {
      both.zeroGrad();
      w.ensureGrad().fill(1);
      return ++calls;
    });
    expect([loss, calls]).toEqual([1, 1]);
    expect(bits(v.data)).toEqual(before);
    expectError(() => both.step(async () => 1), 'ERR_ASYNC_CLOSURE', 'promise');
    expectError(() => both.step(5 as never), 'ERR_INVALID_ARGUMENT', 'closure');
  });

  it('lists the groups of all, as they are now, and shares their options', () => {
    const { adam, sgd, both } = pair();
    expect(both.paramGroups).toEqual([adam.paramGroups[0], sgd.paramGroups[0]]);
    sgd.addParamGroup({ params: parameter(), name: 'late', lr: 7 });
    expect(both.paramGroups).toHaveLength(3);
    expect(both.paramGroups[2]).toBe(sgd.paramGroups[1]);
    expect(() => (both.paramGroups as unknown[]).push(1)).toThrow(TypeError);
    for (const group of both.paramGroups) group.lr = 0.25;
    expect([adam.paramGroups[0]!.lr, sgd.paramGroups[1]!.lr]).toEqual([0.25, 0.25]);
    expect(both.defaults).toEqual({ maximize: false });
    expect(combine([adam]).defaults).toEqual({ ...adam.defaults });
  });

  it('shows the state of all as one map', () => {
    const { w, v, adam, sgd, both } = pair();
    expect([both.state.size, both.state.has(w), both.state.get(v)]).toEqual([0, false, undefined]);
    both.step();
    expect([...both.state.keys()]).toEqual([w, v]);
    expect([...both.state.values()]).toEqual([adam.state.get(w), sgd.state.get(v)]);
    expect([...both.state]).toEqual([...both.state.entries()]);
    expect([both.state.size, both.state.has(v), both.state.has({ data: w.data })]).toEqual([
      2,
      true,
      false,
    ]);
    const seen: ParameterLike[] = [];
    both.state.forEach((_state, p) => void seen.push(p));
    expect(seen).toEqual([w, v]);
    expect(inspect(both.state)).toContain('momentumBuffer');
  });

  it('forgets all gradients, or none', () => {
    const { w, v, both } = pair();
    both.zeroGrad({ setToNone: false });
    expect([...w.grad!, ...v.grad!].every((g) => g === 0)).toBe(true);
    w.grad!.fill(1);
    v.grad = new Float32Array(2);
    expectError(() => both.zeroGrad({ setToNone: false }), 'ERR_INVALID_GRADIENT', "'v'");
    expect([...w.grad!]).toEqual([1, 1, 1]);
    both.zeroGrad();
    expect([w.grad, v.grad]).toEqual([null, null]);
    const fixed = Object.freeze({ data: new Float32Array(1), grad: new Float32Array(1) });
    const stuck = combine([new SGD([w]), new SGD([fixed])]);
    const grad = w.ensureGrad();
    expectError(() => stuck.zeroGrad(), 'ERR_INVALID_GRADIENT', 'cannot be set to null');
    expect(w.grad).toBe(grad);
    expectError(
      () => both.zeroGrad({ setToNon: true } as never),
      'ERR_INVALID_ARGUMENT',
      'setToNon',
    );
  });

  it('runs the hooks and averages of optimizers inside that are alone in having them', () => {
    const { w, adam, sgd, both } = pair();
    const nested = combine([both]);
    const steps = [() => both.step(), () => stepAll([both]), () => nested.step()];
    const log: string[] = [];
    for (const step of steps) {
      const handles = [
        adam.registerStepPreHook(() => void log.push('pre')),
        sgd.registerStepPostHook(() => void log.push('post')),
      ];
      for (const handle of handles) {
        step();
        handle.remove();
      }
    }
    expect(log.join()).toBe(new Array(3).fill('pre,post,post').join());
    const ema = new EMA([w]).attach(adam);
    for (const step of steps) step();
    expect(ema.nAveraged).toBe(3);
    ema.swap();
    for (const step of steps) expectError(step, 'ERR_SWAPPED', 'restore()');
  });

  it('runs its hooks around those of the optimizers inside', () => {
    const { adam, sgd, both } = pair();
    const log: string[] = [];
    const note = (what: string, of: unknown) => (optimizer: unknown) => {
      expect(optimizer).toBe(of);
      log.push(what);
    };
    both.registerStepPostHook(note('both post', both));
    const handle = both.registerStepPreHook(note('both pre', both));
    for (const [name, o] of Object.entries({ adam, sgd })) {
      o.registerStepPreHook(note(`${name} pre`, o));
      o.registerStepPostHook(note(`${name} post`, o));
    }
    const global = registerOptimizerStepPreHook((o) => void log.push(o === adam ? 'a' : 's'));
    both.step(() => void log.push('closure'));
    global.remove();
    const pre = ['both pre', 'a', 'adam pre', 's', 'sgd pre', 'closure'];
    expect(log).toEqual([...pre, 'adam post', 'sgd post', 'both post']);
    handle.remove();
    log.length = 0;
    both.registerStepPreHook(() => [() => 5]);
    sgd.registerStepPreHook((_o, [closure]) => [() => Number(closure!()) + 1]);
    expect((both.step as () => unknown)()).toBe(6);
    expect(log).not.toContain('both pre');
  });

  it('is busy while it steps, inside and out', () => {
    const { w, v, adam, sgd, both } = pair();
    const before = [bits(w.data), bits(v.data)];
    const tries = [both, adam, sgd, combine([sgd])];
    for (const o of tries) {
      expectError(
        () => both.step(() => void (o.step as () => void)()),
        'ERR_BUSY',
        'inside a step',
      );
      expectError(() => sgd.step(() => void both.step()), 'ERR_BUSY', 'inside a step');
    }
    expectError(() => both.step(() => sgd.dispose()), 'ERR_DISPOSED', 'disposed');
    expectError(() => both.step(), 'ERR_DISPOSED', 'disposed');
    expect([bits(w.data), bits(v.data)]).toEqual(before);
    adam.step();
    both.dispose();
    both.dispose();
    expectError(() => adam.step(), 'ERR_DISPOSED', 'disposed');
    expectError(() => combine([adam]), 'ERR_DISPOSED', 'combine');
    const again = pair();
    again.both[Symbol.dispose]();
    expectError(() => again.sgd.step(), 'ERR_DISPOSED', 'disposed');
  });

  describe('a parameter belongs to one of them', () => {
    it('as an object, from the start and later', () => {
      const { w, adam, sgd, both } = pair();
      const other = new SGD([w]);
      expectError(
        () => combine([adam, other]),
        'ERR_DUPLICATE_PARAMETER',
        "some parameters appear in more than one optimizer: parameter 'w' (group 0) of optimizer 0",
      );
      both.step();
      const before = bits(w.data);
      sgd.addParamGroup({ params: w });
      expectError(() => both.step(), 'ERR_DUPLICATE_PARAMETER', "'w' (group 1) of optimizer 1");
      expectError(() => both.step(), 'ERR_DUPLICATE_PARAMETER', 'more than one optimizer');
      expect(bits(w.data)).toEqual(before);
    });

    it('and by its memory, from the start and later', () => {
      const shared = new Float32Array(8);
      const [a, b] = [{ data: shared.subarray(0, 5) }, { data: shared.subarray(4) }];
      const [first, second] = [new SGD([a]), new SGD([b])];
      expectError(() => combine([first, second]), 'ERR_OVERLAP', 'shares memory with data');
      const third = new Adam([parameter()]);
      expectError(() => combine([third, first, second]), 'ERR_OVERLAP', 'of optimizer 2');

      const [c, d] = [parameter(4), parameter(4)];
      const both = combine([new SGD([c]), new SGD([d])]);
      both.step();
      const own = c.data;
      c.data = d.data;
      const before = bits(d.data);
      expectError(() => both.step(), 'ERR_OVERLAP', 'shares memory');
      expectError(() => both.step(), 'ERR_OVERLAP', 'shares memory');
      expect(bits(d.data)).toEqual(before);
      c.data = own;
      both.step();
      expect(bits(d.data)).not.toEqual(before);
    });
  });

  it('checks all before the first is updated', () => {
    const { w, v, both } = pair();
    const before = bits(w.data);
    v.grad = new Float32Array(2);
    expectError(() => both.step(), 'ERR_INVALID_GRADIENT', "'v'");
    v.grad = new Float32Array(5);
    structuredClone(v.grad.buffer, { transfer: [v.grad.buffer as ArrayBuffer] });
    expectError(() => both.step(), 'ERR_DETACHED', "'v'");
    v.grad = v.data;
    expectError(() => both.step(), 'ERR_OVERLAP', "'v'");
    expect(bits(w.data)).toEqual(before);
    expect(both.state.size).toBe(0);
  });

  it('combines what is combined, and one that a user wrote', () => {
    const { w, v, both } = pair();
    const own = parameter(4, 'own');
    const all = combine([both, new MyLion([own], { lr: 0.5 })]);
    const apart = pair();
    apart.adam.step();
    apart.sgd.step();
    all.step();
    expect([bits(w.data), bits(v.data)]).toEqual([bits(apart.w.data), bits(apart.v.data)]);
    expect([...own.data]).toEqual([0.5, 1.5, 2.5, 3.5]);
    expect(all.paramGroups).toHaveLength(3);
    expect([...all.state.keys()]).toEqual([w, v, own]);
    expectError(() => combine([all, new SGD([own])]), 'ERR_DUPLICATE_PARAMETER', "'own'");
    expectError(() => combine([new MyLion([w]), both]), 'ERR_DUPLICATE_PARAMETER', "'w'");
  });

  it('prints all', () => {
    const { adam, sgd, both } = pair();
    expect(String(both)).toBe(`CombinedOptimizer (\n${adam}\n${sgd}\n)`);
    expect(inspect(both)).toBe(String(both));
  });

  it('may be of none', () => {
    const none = combine([]);
    none.step();
    none.zeroGrad();
    expect([none.paramGroups.length, none.state.size]).toEqual([0, 0]);
    expect(none.step(() => 3)).toBe(3);
  });
});
