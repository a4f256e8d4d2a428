/** An average in the step's own pass over memory, and every case in which it cannot be. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../lib/backend/load-addon.ts';
import {
  AdamW,
  combine,
  EMA,
  getNumThreads,
  ParameterArena,
  type ParameterLike,
  SGD,
  SWA,
  setNumThreads,
} from '../../lib/index.ts';
import { bits, expectError, parameter } from '../support/helpers.ts';

const addon = loadAddon();

/** How many of the step's members ran by themselves, not in another's pass over memory. */
const PARTS = 6;

/** The functions that have been made for sequences of steps. */
const sequences: ((action: number) => unknown)[] = [];
const { sequenceOf } = addon;
beforeAll(() => {
  addon.sequenceOf = (...args) => {
    const sequence = sequenceOf(...args);
    sequences.push(sequence);
    return sequence;
  };
});
afterAll(() => {
  addon.sequenceOf = sequenceOf;
});

/**
 * Runs the same steps with an average that is attached, and with one that is updated after each.
 * Gives how many passes over memory a step with it took.
 */
function compare(
  make: () => ParameterLike[],
  options: object,
  averaged = (params: ParameterLike[]) => params,
) {
  const run = (attached: boolean) => {
    const params = make();
    const optimizer = new AdamW(params, { lr: 0.1, ...options });
    const ema = new EMA(averaged(params), { decay: 0.75 });
    if (attached) ema.attach(optimizer);
    for (let step = 0; step < 4; step++) {
      optimizer.step();
      if (!attached) ema.update();
    }
    const arrays = [...params.map(({ data }) => data), ...ema.averages.values()];
    return { bits: arrays.map(bits), count: ema.nAveraged };
  };
  const [together, apart] = [run(true), run(false)];
  expect(together.bits).toEqual(apart.bits);
  expect(together.count).toBe(4);
  return sequences.at(-1)!(PARTS);
}

const separate = () => [parameter(5000), parameter(3), parameter(70)];
const arena = () => {
  const { parameters, grad } = new ParameterArena([[5000], [3], [70]]);
  parameters.forEach((p, i) => void p.data.fill(i + 1));
  grad.set(grad.map((_, i) => Math.sin(i)));
  for (const p of parameters) p.grad!.set(p.grad!.map((_, i) => Math.cos(i)));
  return [...parameters];
};

describe('an attached average is updated in the pass of the step', () => {
  it.each([
    ['separate arrays', separate, {}],
    ['an arena', arena, {}],
    ['clipped gradients', separate, { maxGradNorm: 0.1, clipScope: 'param' }],
    ['gradients that are zeroed', separate, { zeroGradInStep: true, gradScale: 0.5 }],
  ])('over %s', (_name, make, options) => {
    expect(compare(make, options)).toBe(1);
  });

  it('on any number of threads', () => {
    const before = getNumThreads();
    setNumThreads(3);
    expect(compare(() => [parameter(400_000), parameter(9)], {})).toBe(1);
    setNumThreads(before);
  });

  it('and in an asynchronous step, whose memory it then is', async () => {
    const params = arena();
    const optimizer = new SGD(params, { lr: 1 });
    const ema = new EMA(params, { decay: 0.5 }).attach(optimizer);
    const running = optimizer.stepAsync();
    expectError(() => ema.update(), 'ERR_BUSY', 'asynchronous step');
    expectError(() => ema.detach(), 'ERR_BUSY', 'asynchronous step');
    await running;
    expect(ema.nAveraged).toBe(1);
    expect(bits(ema.averages.get(params[0]!)!)).toEqual(bits(params[0]!.data));
  });
});

it('several averages go along in one pass', () => {
  const p = parameter(6);
  const optimizer = new SGD([p], { lr: 1 });
  const ema = new EMA([p], { decay: 0.5 }).attach(optimizer);
  const swa = new SWA([p]).attach(optimizer);
  optimizer.step();
  expect(sequences.at(-1)!(PARTS)).toBe(1);
  swa.detach();
  optimizer.step();
  expect([ema.nAveraged, swa.nAveraged]).toEqual([2, 1]);
});

describe('an average is updated after the step', () => {
  it.each<[string, () => ParameterLike[], (params: ParameterLike[]) => ParameterLike[]]>([
    ['of some parameters', separate, (params) => params.slice(1)],
    ['in another order', separate, (params) => [...params].reverse()],
    ['of others too', separate, (params) => [...params, parameter(4)]],
    [
      'whose parameter has no gradient',
      () => {
        const params = separate();
        params[1]!.grad = null;
        return params;
      },
      (params) => params,
    ],
  ])('%s', (_name, make, averaged) => {
    expect(compare(make, {}, averaged)).toBe(2);
  });

  it('whose memory the optimizer reads as a gradient', () => {
    const [w, v] = [parameter(5000), parameter(5000)];
    const ema = new EMA([w, v], { decay: 0.5 });
    v.grad = ema.averages.get(w)!;
    const before = bits(v.grad);
    const optimizer = new SGD([w, v], { lr: 1 });
    ema.attach(optimizer);
    const expected = v.data.map((value, i) => value - v.grad![i]!);
    optimizer.step();
    expect(sequences.at(-1)!(PARTS)).toBe(2);
    expect(bits(v.data)).toEqual(bits(expected));
    expect(bits(v.grad)).not.toEqual(before);
  });

  it('of combined optimizers', () => {
    const [a, b] = [parameter(3), parameter(4)];
    const both = combine([new SGD([a], { lr: 1 }), new AdamW([b])]);
    const ema = new EMA([a, b], { decay: 0.5 }).attach(both);
    both.step();
    expect(ema.nAveraged).toBe(1);
    expect(bits(ema.averages.get(b)!)).toEqual(bits(b.data));
  });
});

it('nothing is left of it when either side is disposed of', () => {
  const p = parameter(3);
  const optimizer = new SGD([p], { lr: 1 });
  const ema = new EMA([p]).attach(optimizer);
  ema.dispose();
  optimizer.step();
  const second = new EMA([p]).attach(optimizer);
  optimizer.step();
  optimizer.dispose();
  second.detach();
  second.update();
  expect(second.nAveraged).toBe(2);
});

it('a skipped step leaves it as it was', () => {
  const p = parameter(3);
  const optimizer = new SGD([p], { lr: 1, onNonFinite: 'skip' });
  const ema = new EMA([p], { decay: 0.5 }).attach(optimizer);
  optimizer.step();
  const before = bits(ema.averages.get(p)!);
  p.grad![1] = Number.NaN;
  optimizer.step();
  expect([ema.nAveraged, bits(ema.averages.get(p)!)]).toEqual([1, before]);
});
