/** Optimizers that users write, with gradients that are treated inside the step. */

import { expect, it } from 'vitest';
import { clipGradNorm, Parameter } from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';
import { made } from './made.ts';
import { MyLion } from './my-lion.ts';

const transfer = (array: Float32Array<ArrayBufferLike>) =>
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });

onEachBackend(() => {
  it('are given them scaled, clamped and clipped, as by hand before the step', () => {
    const make = () => [parameter(5000), parameter(7)];
    const [inside, byHand] = [make(), make()];
    const seen: number[] = [];
    const Own = made(({ data, grad }) => {
      seen.push(grad.length);
      for (let i = 0; i < data.length; i++) data[i]! -= grad[i]!;
    });
    const o = new Own(inside, { gradScale: 0.5, clipValue: 100, maxGradNorm: 1 });
    const before = inside.map(({ grad }) => bits(grad!));
    for (const { grad } of byHand) {
      grad!.set(grad!.map((g) => Math.min(100, Math.fround(g * 0.5))));
    }
    const norm = clipGradNorm(byHand, 1);
    o.step();
    new Own(byHand).step();
    expect(seen).toEqual([5000, 7, 5000, 7]);
    expect(inside.map(({ data }) => bits(data))).toEqual(byHand.map(({ data }) => bits(data)));
    expect(inside.map(({ grad }) => bits(grad!))).toEqual(before);
    expect(o.lastStep).toMatchObject({ stepped: true, gradNorm: norm });
    o.stepOptions.zeroGradInStep = true;
    o.step();
    expect(inside.every(({ grad }) => grad!.every((g) => g === 0))).toBe(true);
  });

  it('are skipped with infinities where that is asked for', () => {
    const w = new Parameter([1], { grad: Float32Array.of(Number.POSITIVE_INFINITY) });
    const o = new MyLion([w], { onNonFinite: 'skip' });
    o.step();
    expect([w.data[0], o.state.size, o.lastStep?.stepped]).toEqual([1, 0, false]);
    w.grad![0] = 1;
    o.step();
    expect([o.state.get(w)!.step, o.lastStep?.stepped]).toEqual([1, true]);
  });

  it('tell of a gradient that update took away', () => {
    for (const options of [{}, { gradScale: 0.5 }, { zeroGradInStep: true, gradScale: 0.5 }]) {
      const [w, v] = [parameter(3, 'w'), parameter(3, 'v')];
      const taking = made(({ step }) => void (step === 1 && v.grad!.length && transfer(v.grad!)));
      const o = new taking([w, v], options);
      expectError(() => o.step(), 'ERR_DETACHED', "grad of parameter 'v'");
      expect([o.state.get(w)!.step, o.state.has(v)]).toEqual([1, false]);
    }
  });

  it('keep their step when update takes its own gradient away', () => {
    const [w, v] = [parameter(3, 'w'), parameter(3, 'v')];
    const taking = made(() => void (w.grad!.length && transfer(w.grad!)));
    const o = new taking([w, v], { zeroGradInStep: true });
    o.step();
    expect([...v.grad!]).toEqual([0, 0, 0]);
    expect(o.state.size).toBe(2);
    expectError(() => o.step(), 'ERR_DETACHED', "grad of parameter 'w'");
  });
});

it('have no options of the names that every optimizer has', () => {
  const Own = made(() => {}, { defaults: { maxGradNorm: 1 } });
  expectError(() => new Own([]), 'ERR_INVALID_ARGUMENT', "no default for 'maxGradNorm'");
});
