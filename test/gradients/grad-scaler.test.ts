/** GradScaler: PyTorch's scales, steps and states, and calls in the wrong order. */

import { expect, it } from 'vitest';
import * as gradstep from '../../lib/index.ts';
import {
  Adam,
  GradScaler,
  type GradScalerState,
  type Optimizer,
  Parameter,
  SGD,
} from '../../lib/index.ts';
import { fill } from '../reference/inputs.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';
import { digest, gradsOf, type Program, scaling } from './goldens.ts';

const { fround } = Math;
type Build = new (params: Parameter[], options: object) => Optimizer;

/** Plays a program and compares every step with PyTorch's. */
function play({ seed, options, optimizers, steps, trace }: Program): void {
  const scaler = new GradScaler(options);
  const parameters = scaling.lengths.map((length) => Parameter.zeros([length]));
  for (const [i, { data }] of parameters.entries())
    fill(data as Float32Array, 'normal', seed, 0, i);
  const made = optimizers.map(([name, values, which]) => {
    const Optimizer = Reflect.get(gradstep, name) as Build;
    return {
      which,
      optimizer: new Optimizer(
        which.map((i) => parameters[i]!),
        values,
      ),
    };
  });
  for (const [number, { bad, unscale = false, newScale }] of steps.entries()) {
    setGradients(parameters, bad, scaler.scale(1), seed, number);
    for (const { optimizer, which } of made) {
      const before = which.map((i) => bits(parameters[i]!.grad!));
      if (unscale) scaler.unscale(optimizer);
      scaler.step(optimizer);
      const found = which.some((i) => bad.includes(i));
      expect(scaler.foundInf(optimizer)).toBe(found);
      if (!found || unscale) continue;
      expect(which.map((i) => bits(parameters[i]!.grad!))).toEqual(before); // in torch: unscaled
      const inverse = fround(1 / scaler.getScale());
      for (const i of which) {
        const grad = parameters[i]!.grad!;
        for (let k = 0; k < grad.length; k++) grad[k]! *= inverse;
      }
    }
    scaler.update(newScale);
    const { scale, _growth_tracker } = scaler.stateDict();
    const data = parameters.map((p) => p.data);
    const outcome = [scale, _growth_tracker, digest(data), digest(gradsOf(parameters))];
    expect(outcome, `step ${number}`).toEqual(trace[number]);
  }
}

function setGradients(
  parameters: readonly Parameter[],
  bad: readonly number[],
  scale: number,
  seed: number,
  number: number,
): void {
  for (const [i, p] of parameters.entries()) {
    const grad = p.ensureGrad() as Float32Array;
    fill(grad, 'normal', seed, number + 1, i);
    for (let k = 0; k < grad.length; k++) grad[k]! *= scale;
    if (bad.includes(i))
      grad[grad.length >> 1] = number % 2 ? Number.NaN : Number.POSITIVE_INFINITY;
  }
}

/** An optimizer over one parameter, whose gradient is 6. */
function setUp(): { scaler: GradScaler; optimizer: SGD; p: Parameter } {
  const p = new Parameter([1], { grad: Float32Array.of(6) });
  return { p, optimizer: new SGD([p], { lr: 0.5 }), scaler: new GradScaler({ initScale: 4 }) };
}

onEachBackend(() => {
  it.each(scaling.programs)('plays as PyTorch: $name', (program) => play(program));

  it('changes nothing at all in a step that it skips', () => {
    const [p, q] = [parameter(5), parameter(3)];
    const optimizer = new Adam([p, q]);
    const scaler = new GradScaler();
    scaler.scale(1);
    p.grad![4] = Number.NEGATIVE_INFINITY;
    const before = [p.data, p.grad!, q.data, q.grad!].map(bits);
    expect(scaler.step(optimizer)).toBeUndefined();
    expect([p.data, p.grad!, q.data, q.grad!].map(bits)).toEqual(before);
    expect(optimizer.state.get(p)).toBeUndefined();
    expect(scaler.foundInf(optimizer)).toBe(true);
    scaler.update();
    expect(scaler.foundInf(optimizer)).toBe(false);
    expect(scaler.getScale()).toBe(32768);
  });

  it('refuses calls in the wrong order, as PyTorch', () => {
    const { scaler, optimizer, p } = setUp();
    const refuse = (call: () => unknown, text: string) =>
      expectError(call, 'ERR_GRAD_SCALER', text);
    const hint = '_scale is None. This may indicate your script did not use scaler.scale(loss or';
    refuse(() => scaler.unscale(optimizer), `Attempted unscale_ but ${hint}`);
    refuse(() => scaler.step(optimizer), `Attempted step but ${hint}`);
    refuse(() => scaler.update(), `Attempted update but ${hint}`);
    expect(scaler.scale(0.5)).toBe(2);
    refuse(() => scaler.update(), 'No inf checks were recorded prior to update.');
    refuse(() => scaler.step(optimizer, () => 1), 'Closure use is not currently supported');
    scaler.unscale(optimizer);
    refuse(
      () => scaler.unscale(optimizer),
      'unscale_() has already been called on this optimizer since the last update().',
    );
    expect(p.grad![0]).toBe(1.5);
    scaler.step(optimizer);
    expect(p.data[0]).toBe(0.25);
    refuse(() => scaler.step(optimizer), 'step() has already been called since the last update().');
    refuse(() => scaler.unscale(optimizer), 'unscale_() is being called after step().');
    expect(p.data[0]).toBe(0.25);
    scaler.update();
    optimizer.zeroGrad();
    refuse(() => scaler.step(optimizer), 'No inf checks were recorded for this optimizer.');
    refuse(() => scaler.unscale(optimizer), 'No inf checks were recorded for this optimizer.');
  });

  it('can be called again after a step of the optimizer that failed', () => {
    const { scaler, optimizer, p } = setUp();
    scaler.scale(1);
    const { data } = p;
    p.data = new Float32Array(2);
    expectError(() => scaler.step(optimizer), 'ERR_INVALID_GRADIENT', 'of length 2');
    expect(p.grad![0]).toBe(6);
    p.data = data;
    p.data = p.grad!; // overlaps: found by the optimizer itself
    expectError(() => scaler.step(optimizer), 'ERR_OVERLAP', 'grad');
    expect(p.grad![0]).toBe(1.5);
    p.data = data;
    scaler.step(optimizer);
    expect([p.grad![0], p.data[0]]).toEqual([1.5, 0.25]);
  });

  it('unscales memory that gradients share once', () => {
    const buffer = new Float32Array(12).map((_, i) => 8 * i);
    const grads = [
      [0, 4],
      [0, 4],
      [3, 5],
      [9, 12],
      [10, 11],
      [5, 6],
    ].map(([from, to]) => buffer.subarray(from, to));
    const others = [Float32Array.of(16), Float32Array.of(24)];
    const params = [...grads, ...others].map((grad) => ({
      data: new Float32Array(grad.length),
      grad,
    }));
    const optimizer = new SGD(params, { lr: 1 });
    const scaler = new GradScaler({ initScale: 8 });
    scaler.scale(1);
    scaler.step(optimizer);
    // 6, 7 and 8 are nobody's
    expect([...buffer]).toEqual([0, 1, 2, 3, 4, 5, 48, 56, 64, 9, 10, 11]);
    expect(others.map(([g]) => g)).toEqual([2, 3]);
    expect(params.map(({ data }) => [...data])).toEqual(
      params.map(({ grad }) => [...grad].map((g) => 0 - g)),
    );
  });

  it('never makes infinities: the scale keeps an inverse', () => {
    const { scaler, optimizer, p } = setUp();
    for (let i = 0; i < 400; i++) {
      scaler.scale(1);
      p.grad![0] = Infinity;
      scaler.step(optimizer);
      scaler.update();
    }
    const least = scaler.getScale();
    expect(least).toBe(2 ** -127);
    scaler.scale(1);
    p.grad![0] = 3 * least;
    scaler.step(optimizer);
    expect([p.grad![0], p.data[0]]).toEqual([3, -0.5]);
    new GradScaler().loadStateDict(scaler.stateDict());
  });

  it('skips a step whose gradients float32 cannot hold without the scale', () => {
    const p = new Parameter([1, 2], { grad: Float32Array.of(1, -1e38) });
    const optimizer = new SGD([p], { lr: 1 });
    const scaler = new GradScaler({ initScale: 2 ** -3 });
    for (const early of [false, true]) {
      scaler.scale(1);
      if (early) scaler.unscale(optimizer);
      scaler.step(optimizer);
      expect(scaler.foundInf(optimizer)).toBe(true);
      expect([...p.grad!]).toEqual([1, fround(-1e38)]);
      expect([...p.data]).toEqual([1, 2]);
      scaler.update();
    }
    expect(scaler.getScale()).toBe(2 ** -5);
    p.grad!.set([1, -1e36]);
    scaler.scale(1);
    scaler.step(optimizer);
    expect([...p.grad!]).toEqual([32, fround(-32e36)]);
  });

  it('is not fooled by getters that call it', () => {
    const { scaler, optimizer: other } = setUp();
    const inner = Float32Array.of(8);
    let armed = false;
    const tricky = {
      data: new Float32Array(1),
      get grad() {
        if (armed) {
          armed = false;
          scaler.step(optimizer);
        }
        return inner;
      },
    };
    const optimizer = new SGD([tricky], { lr: 1 });
    scaler.scale(1);
    armed = true;
    expectError(() => scaler.step(optimizer), 'ERR_GRAD_SCALER', 'already been called');
    expect([inner[0], tricky.data[0]]).toEqual([2, -2]);
    scaler.step(other);
    scaler.update();
    armed = true;
    expectError(() => scaler.unscale(optimizer), 'ERR_GRAD_SCALER', 'after step()');
    expect(inner[0]).toBe(0.5);
  });
});

it('does nothing of its own when it is disabled', () => {
  const { optimizer, p } = setUp();
  const scaler = new GradScaler({ enabled: false, initScale: 8 });
  expect(scaler.isEnabled()).toBe(false);
  expect([scaler.scale(3), scaler.getScale()]).toEqual([3, 1]);
  scaler.unscale(optimizer);
  scaler.unscale(optimizer);
  expect(scaler.step(optimizer, () => 0.25)).toBe(0.25);
  expect(scaler.step(optimizer)).toBeUndefined();
  expect([p.grad![0], p.data[0]]).toEqual([6, -5]);
  scaler.update();
  expect(scaler.stateDict()).toEqual({});
  scaler.loadStateDict({});
});

it('saves and loads PyTorch’s state dict', () => {
  const { scaler, optimizer } = setUp();
  scaler.setGrowthFactor(3);
  scaler.setBackoffFactor(0.25);
  scaler.setGrowthInterval(7);
  scaler.scale(1);
  scaler.step(optimizer);
  scaler.update();
  const saved = scaler.stateDict();
  expect(saved).toEqual({
    scale: 4,
    growth_factor: 3,
    backoff_factor: 0.25,
    growth_interval: 7,
    _growth_tracker: 1,
  });
  const other = new GradScaler();
  other.loadStateDict(JSON.parse(JSON.stringify(saved)));
  expect(other.stateDict()).toEqual(saved);
  expect([other.getScale(), other.scale(2)]).toEqual([4, 8]);
  expect([other.getGrowthFactor(), other.getBackoffFactor()]).toEqual([3, 0.25]);
  expect(other.getGrowthInterval()).toBe(7);

  const load = (change: object) => () =>
    other.loadStateDict({ ...saved, scale: 64, ...change } as GradScalerState);
  expectError(load({ growth_factor: 1 }), 'ERR_INVALID_OPTION', 'The growth factor must be > 1.0.');
  expectError(load({ _growth_tracker: -1 }), 'ERR_INVALID_OPTION', '_growth_tracker');
  expectError(load({ growth_interval: undefined }), 'ERR_INVALID_OPTION', 'growth_interval');
  expectError(load({ scale: Number.NaN }), 'ERR_INVALID_OPTION', 'scale');
  expectError(load({ growthFactor: 2 }), 'ERR_UNKNOWN_OPTION', 'did you mean growth_factor?');
  expectError(() => other.loadStateDict(null as never), 'ERR_INVALID_OPTION', 'null');
  expectError(
    () => other.loadStateDict({}),
    'ERR_INVALID_ARGUMENT',
    'The source state dict is empty, possibly because it was saved from a disabled instance',
  );
  expect(other.stateDict()).toEqual(saved);
});

it('grows at once when the interval was set below what it has counted', () => {
  const { scaler, optimizer } = setUp();
  scaler.loadStateDict({ ...(scaler.stateDict() as GradScalerState), _growth_tracker: 500 });
  scaler.setGrowthInterval(100);
  scaler.scale(1);
  scaler.step(optimizer);
  scaler.update();
  expect(scaler.stateDict()).toMatchObject({ scale: 8, _growth_tracker: 0 });
});

it('refuses bad arguments', () => {
  const { scaler, optimizer, p } = setUp();
  const make = (options: object) => () => new GradScaler(options);
  const refuse = (call: () => unknown, text: string) =>
    expectError(call, 'ERR_INVALID_OPTION', text);
  refuse(make({ growthFactor: 1 }), 'The growth factor must be > 1.0.');
  refuse(make({ backoffFactor: 1 }), 'The backoff factor must be < 1.0.');
  refuse(make({ backoffFactor: 0 }), 'backoffFactor of GradScaler to be a finite number > 0');
  refuse(make({ growthInterval: 0.5 }), 'growthInterval');
  refuse(make({ enabled: 1 }), 'enabled');
  for (const initScale of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e39, 1e-50, 2e-39, '2']) {
    refuse(make({ initScale }), 'initScale of GradScaler to be a finite number > 0');
  }
  expectError(make({ init_scale: 2 }), 'ERR_UNKNOWN_OPTION', 'did you mean initScale?');
  refuse(() => scaler.setGrowthFactor(0.5), 'The growth factor must be > 1.0.');
  refuse(() => scaler.setBackoffFactor(2), 'The backoff factor must be < 1.0.');
  refuse(() => scaler.setGrowthInterval(0), 'the growth interval to be an integer >= 1');
  scaler.scale(1);
  scaler.step(optimizer);
  refuse(() => scaler.update(0), 'newScale of update()');
  expect(scaler.stateDict()).toMatchObject({ scale: 4, _growth_tracker: 0 });
  expectError(() => scaler.scale('1' as never), 'ERR_INVALID_ARGUMENT', 'a loss to be a number');
  expectError(() => scaler.step({} as never), 'ERR_INVALID_ARGUMENT', 'Expected an optimizer');
  expectError(() => scaler.unscale([p] as never), 'ERR_INVALID_ARGUMENT', 'Expected an optimizer');
});
