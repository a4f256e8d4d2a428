/** Options are an object's own properties, and generators are read while there is something. */

import vm from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import {
  clipGradNorm,
  combine,
  createOptimizer,
  EMA,
  ExponentialLR,
  GradScaler,
  getTotalNorm,
  groupBy,
  noDecay,
  Parameter,
  ParameterArena,
  SGD,
  stepAll,
} from '../../lib/index.ts';
import { expectError, onEachBackend, parameter } from '../support/helpers.ts';

const lent = {
  lr: 5,
  maxGradNorm: 1e-3,
  frozen: true,
  setToNone: false,
  params: [],
  paramNames: ['x'],
  shape: [7],
  decay: 0,
  state: 'reset',
  normType: 0,
  initScale: 1,
  lastEpoch: 7,
};

describe('what Object.prototype lends', () => {
  afterEach(() => {
    for (const key of Object.keys(lent)) Reflect.deleteProperty(Object.prototype, key);
  });

  it('is no option', () => {
    const p = new Parameter([1], { grad: Float32Array.of(2) });
    const q = parameter(); // made before, as what a program has
    for (const [key, value] of Object.entries(lent)) {
      Object.defineProperty(Object.prototype, key, { value, configurable: true, writable: true });
    }
    const o = new SGD([p], { momentum: 0.5 });
    const group = o.paramGroups[0]!;
    expect([group.lr, o.stepOptions.maxGradNorm, group.params]).toEqual([1e-3, null, [p]]);
    o.addParamGroup({ params: [q] });
    expect(o.paramGroups[1]!.lr).toBe(1e-3);
    o.override(p, { momentum: 0 });
    expect(o.overrideOf(p)).toEqual({ momentum: 0 });
    const next = parameter();
    o.replaceParameter(q, next, {});
    o.step();
    expect([next.data[0], Object.keys(o.paramGroups[1]!)]).not.toEqual([
      1,
      expect.arrayContaining(['paramNames']),
    ]);
    expect(createOptimizer('adam', [p], {}).paramGroups[0]!.lr).toBe(1e-3);
    expect(new Parameter([1, 2], {}).shape).toEqual([2]);
    expect([getTotalNorm(p), new EMA([p]).decay, new GradScaler().getScale()]).toEqual([
      2, 0.999, 65536,
    ]);
    expect(new ExponentialLR(o, { gamma: 0.5 }).lastEpoch).toBe(0);
    o.zeroGrad({});
    expect(p.grad).toBeNull();
  });
});

onEachBackend(() => {
  function* once() {
    yield parameter();
  }
  const used = () => {
    const generator = once();
    for (const _ of generator);
    return generator as Iterable<Parameter>;
  };
  const o = new SGD([parameter()]);

  it.each<[string, () => unknown]>([
    ['new SGD', () => new SGD(used())],
    ['a group', () => new SGD([{ params: used() }])],
    ['addParamGroup', () => o.addParamGroup({ params: used() })],
    ['removeParameters', () => o.removeParameters(used())],
    ['resetState', () => o.resetState(used())],
    ['EMA', () => new EMA(used())],
    ['clipGradNorm', () => clipGradNorm(used(), 1)],
    ['getTotalNorm', () => getTotalNorm(used())],
    ['groupBy', () => groupBy(used() as never, [])],
    ['noDecay', () => noDecay(used() as never)],
    ['ParameterArena', () => new ParameterArena(used() as never)],
    ['stepAll', () => stepAll(used() as never)],
    ['combine', () => combine(used() as never)],
    ['the values of an empty Map', () => new SGD(new Map<string, Parameter>().values())],
  ])('a generator that was used already is refused by %s', (_what, call) => {
    expectError(call, 'ERR_INVALID_PARAMETER', 'is an empty generator');
    expect(o.paramGroups).toHaveLength(1);
  });

  it('a fresh one, and an empty list, are taken', () => {
    expect(new SGD(once()).paramGroups[0]!.params).toHaveLength(1);
    expect(new SGD([]).paramGroups).toHaveLength(0);
    new SGD([{ params: new Set<Parameter>() }]).step();
    stepAll([]);
  });

  it('a promise of another realm is a closure’s mistake, and rejects unheard', async () => {
    const unheard: unknown[] = [];
    const listen = (reason: unknown) => void unheard.push(reason);
    process.on('unhandledRejection', listen);
    const reject = () => vm.runInNewContext('Promise.reject(new Error("theirs"))');
    expectError(() => o.step(reject), 'ERR_ASYNC_CLOSURE', 'received a promise');
    expectError(() => o.step(() => Promise.reject(1)), 'ERR_ASYNC_CLOSURE', 'received a promise');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listen);
    expect(unheard).toEqual([]);
  });
});
