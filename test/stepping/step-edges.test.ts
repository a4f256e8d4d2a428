/** Where several features meet in one step, and what is left when one of them fails. */

import { describe, expect, it } from 'vitest';
import {
  Adam,
  AdamW,
  combine,
  EMA,
  getNumThreads,
  Optimizer,
  option,
  ParameterArena,
  SGD,
  SWA,
  setNumThreads,
  stepAll,
} from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

const twoInAnArena = () => {
  const arena = new ParameterArena([[3], [5]]);
  for (const p of arena.parameters) p.grad!.fill(1);
  return arena;
};

onEachBackend((backend) => {
  it('a NaN norm leaves an attached average to itself', () => {
    const arena = twoInAnArena();
    const [a] = arena.parameters;
    const o = new AdamW(arena.parameters, { maxGradNorm: 1 });
    const ema = new EMA(arena.parameters, { decay: 0.5 }).attach(o);
    o.step();
    a!.grad![0] = Number.NaN;
    o.step();
    expect(ema.nAveraged).toBe(2);
    expect(ema.averages.get(a!)![1]).toBeNaN();
    expect([...arena.data.subarray(3, 16)].every((x) => x === 0)).toBe(true);
  });

  it('an infinite bound of an infinite norm touches nothing between parameters', () => {
    const arena = twoInAnArena();
    arena.parameters[0]!.grad![0] = Number.POSITIVE_INFINITY;
    new SGD(arena.parameters, { lr: 1, maxGradNorm: Number.POSITIVE_INFINITY }).step();
    expect([...arena.data.subarray(3, 16)].every((x) => x === 0)).toBe(true);
  });

  it('a step that overflowed leaves no trace of its options', () => {
    const arena = twoInAnArena();
    const o = new Adam(arena.parameters, { lr: 0.1 });
    o.step();
    const [group] = o.paramGroups;
    Object.assign(group!, { eps: 0, lr: 3e38 });
    expectError(() => o.step(), 'ERR_OVERFLOW', 'parameter at index 0');
    group!.lr = 0.1;
    o.step();
    expect([...arena.data.subarray(3, 16)].every((x) => x === 0)).toBe(true);
  });

  it('an average that is told how often it was updated believes it', () => {
    const p = parameter(2);
    const swa = new SWA([p]);
    for (let i = 0; i < 2; i++) swa.update();
    swa.nAveraged = 0;
    p.data.fill(9);
    swa.update();
    expect([[...swa.averages.get(p)!], swa.nAveraged]).toEqual([[9, 9], 1]);
  });

  it('state that a failed replacement had gathered is nobody else’s beginning', () => {
    const [p, q] = [parameter(4), parameter(4)];
    const o = new SGD([p, q], { lr: 1, momentum: 0.9 });
    o.step();
    const next = { data: q.data.subarray(1, 3), grad: null };
    expectError(() => o.replaceParameter(p, next, { index: [0, 1] }), 'ERR_OVERLAP', '');
    const late = parameter(2);
    o.addParamGroup({ params: late });
    o.step();
    expect([...o.state.get(late)!.momentumBuffer]).toEqual([...late.grad!]);
  });

  it('optimizers that share parameters step one after the other', () => {
    const before = getNumThreads();
    setNumThreads(2);
    const data = new Float32Array(400_000);
    const make = (lr: number, momentum: number) =>
      new SGD([{ data, grad: new Float32Array(400_000).fill(1) }], {
        lr,
        momentum,
        weightDecay: 1,
      });
    const [a, b] = [make(0.5, 0), make(0.25, 0.5)];
    for (let i = 0; i < 3; i++) stepAll([a, b]);
    expect(new Set(data).size).toBe(1);
    const alone = parameter(1);
    alone.data.fill(0);
    alone.grad!.fill(1);
    const [c, d] = [new SGD([alone], { lr: 0.5, weightDecay: 1 }), [alone]];
    const e = new SGD(d, { lr: 0.25, momentum: 0.5, weightDecay: 1 });
    for (let i = 0; i < 3; i++) {
      c.step();
      e.step();
    }
    expect(data[7]).toBe(alone.data[0]);
    setNumThreads(before);
  });

  it('each of many optimizers runs what its own hook returned', () => {
    const ran: string[] = [];
    const make = (name: string) => {
      const o = new SGD([parameter()], { lr: 1 });
      o.registerStepPreHook(() => [() => ran.push(name)]);
      return o;
    };
    stepAll([make('a'), make('b')]);
    expect(ran).toEqual(['a', 'b']);
  });

  describe('an attached average', () => {
    const attached = () => {
      const p = parameter(3);
      const o = new SGD([p], { lr: 1 });
      return { p, o, ema: new EMA([p], { decay: 0.5 }).attach(o) };
    };

    it('refuses a step in whose closure it was swapped', async () => {
      const { p, o, ema } = attached();
      o.step();
      const before = bits(p.data);
      expectError(() => o.step(() => ema.swap()), 'ERR_SWAPPED', 'restore()');
      ema.restore();
      expect(bits(p.data)).toEqual(before);
      expect(ema.nAveraged).toBe(1);
    });

    it('refuses a step after which it could not follow', () => {
      const { p, o, ema } = attached();
      const own = p.data;
      p.data = ema.averages.get(p)!;
      expectError(() => o.step(), 'ERR_OVERLAP', 'average');
      p.data = own;
      o.step();
      expect([...own]).toEqual([...ema.averages.get(p)!]);
    });

    it('misses no step when a hook of the user throws', () => {
      const p = parameter(3);
      const o = new SGD([p], { lr: 1 });
      const handle = o.registerStepPostHook(() => {
        throw new Error('mine');
      });
      const ema = new EMA([p], { decay: 0.5 }).attach(o);
      expect(() => o.step()).toThrow('mine');
      handle.remove();
      ema.detach();
      ema.attach(combine([o]));
      o.zeroGrad();
      o.step();
      const count = ema.nAveraged;
      ema.update();
      expect(ema.nAveraged).toBe(count + 1);
    });
  });

  it(`memory of a step that is under way is ${backend === 'native' ? 'let alone' : 'free'}`, async () => {
    const { parameters } = twoInAnArena();
    const o = new SGD(parameters, { lr: 1 });
    const ema = new EMA(parameters);
    const late = new EMA(parameters);
    const other = new SGD([{ data: new Float32Array(3), grad: parameters[0]!.grad }], { lr: 1 });
    const running = o.stepAsync();
    const calls = [
      () => ema.swap(),
      () => late.attach(o),
      () => other.zeroGrad({ setToNone: false }),
    ];
    if (backend === 'native') for (const call of calls) expectError(call, 'ERR_BUSY', '');
    await running;
    if (backend === 'native') for (const call of calls) call();
  });
});

describe('optimizers of one’s own', () => {
  class Mine extends Optimizer<{ lr: number }> {
    static defaults = { lr: option.number(0.1, { min: 0 }) };
    static state = [];
    seen: unknown[] = [];
    override update({ group, data }: { group: object; data: Float32Array }) {
      this.seen = [Object.keys(group), (group as { params: unknown[] }).params.length, group];
      data.fill(1);
    }
  }

  it('see the whole group of a parameter with overrides', () => {
    const p = parameter();
    const o = new Mine([p], { lr: 0.5 });
    o.override(p, { lr: 0.25 });
    o.step();
    const [keys, count, group] = o.seen as [string[], number, { lr: number; name?: string }];
    expect([keys, count, group.lr]).toEqual([['params', 'lr'], 1, 0.25]);
    expectError(() => void Object.assign(group, { lr: 1 }), 'ERR_READ_ONLY', 'override()');
    group.name = 'mine';
    expect(o.paramGroups[0]!.name).toBe('mine');
  });

  it('are refused where their update would never be called', () => {
    class Half extends SGD {
      override update() {}
    }
    expectError(() => new Half([parameter()]), 'ERR_INVALID_ARGUMENT', 'extend Optimizer itself');
  });

  it('are told of options that are none', () => {
    const wrong: (() => unknown)[] = [
      () => option.pair(5 as never),
      () => option.number(1, null as never),
      () => option.number(1, { mni: 0 } as never),
    ];
    for (const make of wrong) expectError(make, 'ERR_INVALID_ARGUMENT', 'Expected');
    expectError(() => new Mine([parameter()], null as never), 'ERR_INVALID_OPTION', 'null');
  });
});
