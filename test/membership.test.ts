/** Parameters that go, are replaced, or begin anew. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  Adam,
  type AdamState,
  combine,
  EMA,
  Parameter,
  ParameterArena,
  type ParameterLike,
  SGD,
  stepAll,
} from '../lib/index.ts';
import { bits, expectError, forEachOptimizer, onEachBackend, parameter } from './helpers.ts';
import { MyLion } from './my-lion.ts';
import { snapshot, steps } from './runs.ts';

const LENGTHS = [19, 5, 33, 7];

const model = (arena = false): Parameter[] => {
  const loose = LENGTHS.map((length) => parameter(length));
  if (!arena) return loose;
  const { parameters } = new ParameterArena(LENGTHS.map((length) => [length]));
  for (const [i, p] of parameters.entries()) p.data.set(loose[i]!.data);
  return [...parameters];
};

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Two groups of two. */
const groupsOf = (params: readonly Parameter[]) => [
  { params: params.slice(0, 2) },
  { params: params.slice(2), name: 'second' },
];

const copyOf = (p: Parameter, length = p.length) =>
  new Parameter(p.data.slice(0, length), { shape: [length] });

forEachOptimizer((row) => {
  it.each([false, true])('steps the others as if one had never been there: arena %s', (arena) => {
    const [params, same] = [model(arena), model(arena)];
    const o = row.make(groupsOf(params), row.other);
    const without = row.make(
      groupsOf(same).map(({ params: list, ...rest }) => ({
        ...rest,
        params: list.filter((p) => p !== same[1]),
      })),
      row.other,
    );
    steps(o, params, [1, 2]);
    const frozen = bits(params[1]!.data);
    o.removeParameters(params[1]!);
    expect(o.state.get(params[1]!)).toBeUndefined();
    steps(o, params, [3, 4]);
    steps(without, [same[0], undefined, same[2], same[3]], [1, 2, 3, 4]);
    for (const i of [0, 2, 3]) expect(snapshot(o, params[i]!)).toEqual(snapshot(without, same[i]!));
    expect(bits(params[1]!.data)).toEqual(frozen);
  });

  it.each([
    ['nothing', {}],
    ['the identity as index', { index: Array.from({ length: 33 }, (_, i) => i) }],
    ['the identity of rows', { index: Int32Array.of(0, 1, 2) }],
  ])('goes on unchanged when another takes its place with %s', (_, options) => {
    const [params, same] = [model(), model()];
    params[2] = new Parameter(params[2]!.data, { shape: [3, 11] });
    const [o, unchanged] = [
      row.make(groupsOf(params), row.other),
      row.make(groupsOf(same), row.other),
    ];
    steps(o, params, [1, 2]);
    const next = new Parameter(params[2]!.data.slice(), { shape: [3, 11] });
    o.replaceParameter(params[2]!, next, options);
    expect(o.paramGroups[1]!.params).toEqual([next, params[3]]);
    params[2] = next;
    steps(o, params, [3, 4]);
    steps(unchanged, same, [1, 2, 3, 4]);
    for (const [i, p] of params.entries()) {
      expect(snapshot(o, p)).toEqual(snapshot(unchanged, same[i]!));
    }
  });

  it('begins anew after resetState, as a new optimizer', () => {
    const params = model();
    const o = row.make(groupsOf(params), row.withState);
    steps(o, params, [1, 2]);
    const before = snapshot(o, params[0]!);
    o.resetState(params.slice(1));
    expect(snapshot(o, params[0]!)).toEqual(before);
    expect([...o.state.keys()].filter((p) => p !== params[0])).toEqual([]);
    o.resetState();
    expect(o.state.size).toBe(0);
    const same = params.map((p) => copyOf(p));
    const fresh = row.make(groupsOf(same), row.withState);
    steps(o, params, [3, 4]);
    steps(fresh, same, [3, 4]);
    for (const [i, p] of params.entries())
      expect(snapshot(o, p)).toEqual(snapshot(fresh, same[i]!));
  });

  it('begins anew in the place of another with state: reset', () => {
    const params = model();
    const o = row.make(groupsOf(params), row.other);
    steps(o, params, [1, 2]);
    const next = parameter(50);
    o.replaceParameter(params[0]!, next, { state: 'reset' });
    expect(o.state.get(next)).toBeUndefined();
    const alone = parameter(50);
    const fresh = row.make([alone], row.other);
    steps(o, [next], [3, 4]);
    steps(fresh, [alone], [3, 4]);
    expect(snapshot(o, next)).toEqual(snapshot(fresh, alone));
  });

  it('prunes and grows by index: every value that stays steps on as before', () => {
    const [p, same] = [parameter(19), parameter(19)];
    const [o, whole] = [row.make([p], row.withState), row.make([same], row.withState)];
    steps(o, [p], [1, 2]);
    steps(whole, [same], [1, 2]);
    const index = [18, 3, 3, -1, 0];
    const next = new Parameter(index.map((at) => (at < 0 ? 7 : p.data[at]!)));
    o.replaceParameter(p, next, { index });
    for (const [name, part] of Object.entries(o.state.get(next) as object)) {
      const before = (whole.state.get(same) as Record<string, unknown>)[name];
      const gathered = index.map((at) => (at < 0 ? 0 : (before as Float32Array)[at]));
      expect(part instanceof Float32Array ? [...part] : part).toEqual(
        part instanceof Float32Array ? gathered : before,
      );
    }
    same.ensureGrad().fill(0.25);
    next.ensureGrad().fill(0.25);
    o.step();
    whole.step();
    for (const [i, at] of index.entries()) {
      if (at >= 0) expect(next.data[i]).toBe(same.data[at]);
    }
  });
});

onEachBackend(() => {
  describe('membership', () => {
    it('prunes rows, in place and with the same object', () => {
      const p = {
        data: Float32Array.of(0, 1, 2, 3, 4, 5),
        grad: new Float32Array(6).fill(1),
        shape: [3, 2],
      };
      const o = new SGD([p], { lr: 0, momentum: 1 });
      p.grad.set([1, 2, 3, 4, 5, 6]);
      o.step();
      p.data = p.data.subarray(0, 4); // lies in the old memory
      p.grad = new Float32Array(4);
      const next = { ...p, shape: [2, 2] };
      o.replaceParameter(p, next, { index: [2, 0] });
      expect([...o.state.get(next)!.momentumBuffer!]).toEqual([5, 6, 1, 2]);
      next.data = next.data.subarray(0, 1);
      next.grad = new Float32Array(1);
      o.replaceParameter(next, next, { index: [1] });
      o.step();
      expect([...o.state.get(next)!.momentumBuffer!]).toEqual([6]);
    });

    it('keeps groups, names, options and what is overridden', () => {
      const [a, b, c] = [parameter(3, 'own'), parameter(4), parameter(5)];
      const named = { params: Object.entries({ a, b }), name: 'first', lr: 0.5 };
      const o = new Adam([named, { params: Object.entries({ c }) }]);
      const [first] = o.paramGroups;
      const held = first!.params;
      o.override(b, { lr: 0.25 });
      o.removeParameters([a]);
      const next = parameter(4);
      o.replaceParameter(b, next);
      expect(o.paramGroups[0]).toBe(first);
      expect([first!.params, first!.paramNames, first!.name]).toEqual([[next], ['b'], 'first']);
      expect([held, Object.isFrozen(first!.params)]).toEqual([[a, b], true]);
      expect(o.overrideOf(next)).toEqual({ lr: 0.25 });
      o.removeParameters(new Set([next]));
      expect([first!.params, first!.paramNames, first!.lr]).toEqual([[], [], 0.5]);
      first!.lr = 1;
      first!.amsgrad = true;
      first!.frozen = true;
      o.step();
      o.addParamGroup({ params: [['a', a]] });
      next.data = new Float32Array(1);
      expectError(() => o.overrideOf(next), 'ERR_INVALID_PARAMETER', 'of this optimizer');
      expect([...o.state.keys()]).toEqual([c]);
      expect(() => Object.assign(first!, { params: [] })).toThrow(TypeError);
    });

    it('leaves what was held of state as it was', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new Adam([a, b]);
      o.step();
      const [ofA, ofB] = [o.state.get(a)!, o.state.get(b)!];
      o.removeParameters(a);
      o.step();
      expect([ofA.step, ofB.step, o.state.get(b)!.expAvg === ofB.expAvg]).toEqual([1, 2, true]);
    });

    const refusals: [string, string, (o: Adam, a: Parameter, b: Parameter) => unknown][] = [
      ['ERR_INVALID_PARAMETER', 'received an instance', (o) => o.removeParameters(parameter())],
      ['ERR_INVALID_PARAMETER', 'received 5', (o) => o.removeParameters(5 as never)],
      ['ERR_INVALID_PARAMETER', 'received null', (o, a) => o.removeParameters([a, null as never])],
      ['ERR_INVALID_PARAMETER', 'Float32Array(3)', (o, a) => o.resetState(a.data as never)],
      ['ERR_INVALID_PARAMETER', 'of this optimizer', (o) => o.resetState([parameter()])],
      ['ERR_INVALID_PARAMETER', 'of this optimizer', (o, a) => o.replaceParameter(parameter(), a)],
      ['ERR_INVALID_PARAMETER', 'optimizer can only', (o, a) => o.replaceParameter(a, 5 as never)],
      [
        'ERR_INVALID_PARAMETER',
        'one parameter',
        (o, a) => o.replaceParameter(a, [parameter()] as never),
      ],
      [
        'ERR_DUPLICATE_PARAMETER',
        'group',
        (o, a, b) => o.replaceParameter(a, b, { state: 'reset' }),
      ],
      [
        'ERR_INVALID_ARGUMENT',
        "state: 'reset', since the new",
        (o, a) => o.replaceParameter(a, parameter(4)),
      ],
      [
        'ERR_OVERLAP',
        'shares memory',
        (o, a, b) => o.replaceParameter(a, new Parameter(b.data.subarray(1, 4))),
      ],
    ];
    const options: [string, object | number][] = [
      ['below 3 but received 3', { index: [0, 3] }],
      ['below 3 but received -2', { index: [0, -2] }],
      ['below 3 but received 0.5', { index: [0, 0.5] }],
      ['below 3 but received NaN', { index: [0, Number.NaN] }],
      ['below 3 but received undefined', { index: [undefined, 0] }],
      ["below 3 but received '1'", { index: ['1', 0] }],
      ['but received 1n', { index: BigInt64Array.of(1n, 0n) }],
      ['each of the 2 values', { index: [0] }],
      ['each of the 2 values', { index: structuredClone(new Int32Array(0)) }],
      ['each of the 2 values', { index: new Array(2 ** 32 - 1) }],
      ['an array of numbers but received 5', { index: 5 }],
      ['an array of numbers but received an object', { index: { length: 2, 0: 0, 1: 1 } }],
      ["no index beside state: 'reset'", { index: [0, 1], state: 'reset' }],
      ["'keep' or 'reset' but received 'zero'", { state: 'zero' }],
      ['but received indices', { indices: [0, 1] }],
      ['but received 5', 5],
    ];
    for (const [text, given] of options) {
      refusals.push([
        'ERR_INVALID_ARGUMENT',
        text,
        (o, a) => o.replaceParameter(a, parameter(2), given as never),
      ]);
    }

    it.each(refusals)('refuses with %s: %s', (code, text, call) => {
      const [[a, b], same] = [
        [parameter(), parameter(4)],
        [parameter(), parameter(4)],
      ];
      const [o, unchanged] = [new Adam([a!, b!]), new Adam(same)];
      o.override(a!, { lr: 0.5 });
      unchanged.override(same[0]!, { lr: 0.5 });
      steps(o, [a, b], [1]);
      expectError(() => call(o, a!, b!), code, text);
      expect(o.paramGroups[0]!.params).toEqual([a, b]);
      expect(o.overrideOf(a!)).toEqual({ lr: 0.5 });
      steps(o, [a, b], [2]);
      steps(unchanged, same, [1, 2]);
      expect(snapshot(o, a!)).toEqual(snapshot(unchanged, same[0]!));
      expect(snapshot(o, b!)).toEqual(snapshot(unchanged, same[1]!));
    });

    it('takes shapes of users for what they are', () => {
      const shaped = (length: number, shape: unknown) =>
        ({ data: new Float32Array(length), shape }) as ParameterLike;
      for (const shape of ['6', [Symbol('a')], [6n], [-2, -3], [2, 2], [Number.NaN], null]) {
        const p = shaped(6, shape);
        const o = new SGD([p], { momentum: 0.5 });
        const replace = (index: number[]) => o.replaceParameter(p, shaped(4, [2, 2]), { index });
        expectError(() => replace([0, 1]), 'ERR_INVALID_ARGUMENT', 'each of the 4 values');
        replace([0, 5, 5, -1]);
      }
      const [p, next] = [shaped(6, [3, 2]), shaped(0, [0, 2])];
      const o = new SGD([p]);
      o.replaceParameter(p, next, { index: [] });
      o.replaceParameter(next, p, { index: [-1, -1, -1] });
      o.removeParameters([]);
      expect(o.paramGroups[0]!.params).toEqual([p]);
    });

    it('refuses rows of other sizes', () => {
      const o = new SGD([Parameter.zeros([3, 2])]);
      const [p] = o.paramGroups[0]!.params;
      const replace = (shape: number[], index: number[]) => () =>
        o.replaceParameter(p!, Parameter.zeros(shape), { index });
      expectError(
        replace([2, 3], [0, 1]),
        'ERR_INVALID_ARGUMENT',
        'shapes [3, 2] and [2, 3] differ',
      );
      expectError(replace([2, 2], [0, 3]), 'ERR_INVALID_ARGUMENT', 'from -1 to below 3');
      replace([2, 2], [0, 2])();
    });

    it("reads users' objects first, and refuses what they do meanwhile", () => {
      const [a, b] = [parameter(), parameter()];
      let disturb = (): unknown => undefined;
      const hostile = {
        get data() {
          disturb();
          return b.data;
        },
        grad: b.grad,
      };
      const o = new SGD([a, hostile], { lr: 1 });
      disturb = () => {
        throw new Error('mine');
      };
      expect(() => o.removeParameters(a)).toThrow('mine');
      disturb = () => o.removeParameters(a);
      expectError(() => o.removeParameters(a), 'ERR_BUSY', 'while parameters of the same');
      expectError(() => o.zeroGrad({ setToNone: false }), 'ERR_BUSY', 'inside zeroGrad');
      expectError(() => o.step(), 'ERR_BUSY', 'inside a step');
      const next = parameter();
      disturb = () => {
        const buffer = next.data.buffer as ArrayBuffer;
        if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] });
      };
      expectError(() => o.replaceParameter(a, next), 'ERR_DETACHED', 'meanwhile');
      disturb = () => undefined;
      expect(o.paramGroups[0]!.params).toEqual([a, hostile]);
      o.removeParameters(a);
      o.step();
      expect(b.data[0]).toBe(Math.fround(1 - Math.fround(0.1)));
    });

    it('lets parameters go whose memory is gone, and no others step without theirs', () => {
      const [a, b, c] = [parameter(), parameter(), parameter()];
      const o = new SGD([a, b, c], { lr: 1 });
      const transfer = (p: Parameter) =>
        structuredClone(p.data.buffer, { transfer: [p.data.buffer as ArrayBuffer] });
      transfer(a);
      transfer(b);
      expectError(() => o.removeParameters(a), 'ERR_DETACHED', 'at index 1');
      b.data = new Float32Array(4);
      expectError(() => o.removeParameters(a), 'ERR_INVALID_PARAMETER', 'of length 3');
      b.data = new Float32Array(3);
      o.removeParameters(a);
      o.step();
      expect([b.data[0], c.data[0]]).toEqual([
        -Math.fround(0.1),
        Math.fround(1 - Math.fround(0.1)),
      ]);
    });

    it('gives their memory back: another may lie where one was', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new SGD([a, b]);
      o.removeParameters(a);
      o.addParamGroup({ params: new Parameter(a.data) });
      const [, fresh] = o.paramGroups;
      expectError(
        () => o.addParamGroup({ params: a }),
        'ERR_OVERLAP',
        'shares memory with data of parameter',
      );
      o.removeParameters(fresh!.params);
      o.addParamGroup({ params: a });
      o.step();
    });

    it('waits for an asynchronous step, and works in its closure', async () => {
      const { parameters } = new ParameterArena([[3], [4], [5]]);
      for (const p of parameters) p.ensureGrad().fill(1);
      const [a, b, c] = parameters;
      const o = new SGD(parameters, { lr: 1 });
      const step = o.stepAsync();
      for (const call of [
        () => o.removeParameters(a!),
        () => o.replaceParameter(a!, parameter()),
        () => o.resetState(),
      ]) {
        expectError(call, 'ERR_BUSY', 'while an asynchronous step');
      }
      await step;
      await o.stepAsync(async () => {
        await null;
        o.removeParameters(a!);
      });
      o.step(() => o.removeParameters(b!));
      const hook = o.registerStepPostHook(() => o.removeParameters(c!));
      o.step();
      hook.remove();
      o.step();
      expect(parameters.map((p) => p.data[0])).toEqual([-1, -2, -4]);
      o.dispose();
      expectError(() => o.removeParameters([]), 'ERR_DISPOSED', 'removeParameters');
      expectError(() => o.resetState(), 'ERR_DISPOSED', 'resetState');
    });

    it('is seen by optimizers that are combined', () => {
      const [a, b, c] = [parameter(), parameter(), parameter()];
      const [x, y] = [new SGD([a], { lr: 1 }), new Adam([b, c])];
      const both = combine([x, y]);
      both.step();
      x.replaceParameter(a, b);
      expectError(() => both.step(), 'ERR_DUPLICATE_PARAMETER', 'more than one optimizer');
      y.removeParameters(b);
      both.step();
      expect(both.paramGroups.map(({ params }) => params)).toEqual([[b], [c]]);
      expect([...both.state.keys()]).toEqual([c]);
      stepAll([x, y]);
      expect([y.state.get(c)!.step, a.data[0]]).toEqual([3, Math.fround(1 - Math.fround(0.1))]);
    });

    it('keeps step options, hooks and reports', () => {
      const [a, b] = [parameter(), parameter()];
      const o = new SGD([a, b], { lr: 1, maxGradNorm: 1e-3, onNonFinite: 'skip' });
      let calls = 0;
      o.registerStepPreHook(() => {
        calls += 1;
      });
      o.step();
      a.grad!.fill(Number.NaN);
      o.step();
      o.removeParameters(a);
      expect(o.lastStep).toMatchObject({ stepped: false, skipped: 1, consecutiveSkips: 1 });
      b.grad!.fill(1);
      o.step();
      expect(o.lastStep).toMatchObject({ stepped: true, skipped: 1, nonFinite: 0 });
      expect(o.lastStep!.gradNorm).toBeCloseTo(Math.sqrt(3));
      expect(calls).toBe(3);
      o.stepOptions.gradScale = 0;
      o.step();
      expect(o.lastStep!.gradNorm).toBe(0);
    });

    it('goes on with averages that are attached: their parameters stay theirs', () => {
      const run = (attached: boolean) => {
        const params = model(true);
        const o = new SGD(params, { lr: 0.1 });
        const ema = new EMA(params, { decay: 0.5 });
        if (attached) ema.attach(o);
        const go = (list: readonly (Parameter | undefined)[], numbers: number[]) => {
          for (const number of numbers) {
            steps(o, list, [number]);
            if (!attached) ema.update();
          }
        };
        go(params, [1, 2]);
        params[1]!.frozen = true;
        o.override(params[3]!, { lr: 0.5 });
        go(params, [3, 4]);
        o.removeParameters(params[0]!);
        o.replaceParameter(params[2]!, parameter(33));
        params[1]!.frozen = false;
        go(params, [5, 6]);
        return params.map((p) => [bits(p.data), bits(ema.averages.get(p)!)]);
      };
      expect(run(true)).toEqual(run(false));
    });

    it('works for optimizers of users', () => {
      const [params, same] = [model(), model()];
      const [o, without] = [new MyLion(params), new MyLion(same.slice(1))];
      steps(o, params, [1]);
      o.removeParameters(params[0]!);
      steps(o, params, [2]);
      steps(without, same, [1, 2]);
      for (const i of [1, 2, 3]) {
        expect(snapshot(o, params[i]!)).toEqual(snapshot(without, same[i]!));
      }
    });

    it('lets go of the memory of state that nobody has any more', async () => {
      let p = parameter(1 << 15);
      const o = new Adam([p, parameter()]);
      o.step();
      const replace = () => {
        const next = new Parameter(p.data);
        o.replaceParameter(p, next, { index: Int32Array.from(p.data.keys()) });
        p = next;
        return new WeakRef((o.state.get(p) as AdamState).expAvg.buffer);
      };
      const buffers = Array.from({ length: 5 }, replace);
      await new Promise(setImmediate); // until then what was made in a job stays
      collectGarbage();
      const there = buffers.map((buffer) => buffer.deref() !== undefined);
      expect(there.slice(1)).toEqual([false, false, false, true]); // the first has more in it
    });
  });
});
