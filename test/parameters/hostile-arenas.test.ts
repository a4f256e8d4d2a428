/** Arenas under callers that lie: what is trusted, what is refused. */

import { describe, expect, it } from 'vitest';
import { type ArenaDescription, ParameterArena, SGD } from '../../lib/index.ts';
import { expectError } from '../support/helpers.ts';

const transfer = (array: Float32Array<ArrayBuffer>) =>
  structuredClone(array.buffer, { transfer: [array.buffer] });

describe('arenas', () => {
  it('are trusted for what they are, not for what a property says', () => {
    const evil = new Float32Array(50);
    const arena = new ParameterArena([[50]]);
    Object.defineProperty(arena.parameters[0], 'data', { get: () => evil });
    const o = new SGD([arena.parameters[0]!], { lr: 1 });
    o.step();
    transfer(evil);
    expectError(() => o.step(), 'ERR_DETACHED', 'data of parameter');
  });

  it('are opened over shared memory only', () => {
    const { data, grad, parameters } = new ParameterArena([[8]]).describe();
    const fake = Object.setPrototypeOf(new ArrayBuffer(1024), SharedArrayBuffer.prototype);
    for (const buffer of [fake, new ArrayBuffer(1024), { length: 16 }, null]) {
      const wrong = { data: { buffer, byteOffset: 0 }, grad, parameters } as ArenaDescription;
      expectError(() => ParameterArena.open(wrong), 'ERR_INVALID_ARGUMENT', 'arena.describe()');
    }
    expect(ParameterArena.open({ data, grad, parameters }).parameters).toHaveLength(1);
  });

  it('read every property of a description once', () => {
    const { data, grad, parameters } = new ParameterArena([[8]]).describe();
    const reads: string[] = [];
    const once = <T extends object>(what: string, object: T): T =>
      new Proxy(object, {
        get(target, key, receiver) {
          const isFirst = !reads.includes(`${what}.${String(key)}`);
          reads.push(`${what}.${String(key)}`);
          if (isFirst || what === 'list') return Reflect.get(target, key, receiver);
          return key === 'buffer' ? new ArrayBuffer(1024) : [3];
        },
      });
    const first = { ...parameters[0]!, shape: once('list', [8]) };
    const arena = ParameterArena.open(
      once('description', {
        data: once('data', data),
        grad: once('grad', grad),
        parameters: [once('parameter', first)],
      }) as ArenaDescription,
    );
    expect(arena.parameters[0]!.shape).toEqual([8]);
    for (const { buffer } of [arena.data, arena.grad, arena.parameters[0]!.grad!]) {
      expect(buffer).toBeInstanceOf(SharedArrayBuffer);
    }
    const twice = reads.filter((read, i) => !read.startsWith('list') && reads.indexOf(read) !== i);
    expect(twice).toEqual([]);
  });

  it('cannot be imitated', () => {
    const [p] = new ParameterArena([[8]]).parameters;
    const Made = p!.constructor as new (...args: unknown[]) => unknown;
    const slot = { data: new Float32Array(8), grad: null, hasGrad: false, changes: { count: 0 } };
    expectError(() => new Made(Symbol('x'), slot, { shape: [8] }), 'ERR_INVALID_ARGUMENT', 'Arena');
    const imitation = Object.create(Object.getPrototypeOf(p));
    Object.defineProperty(imitation, 'data', { value: new Float32Array(8) });
    Object.defineProperty(imitation, 'grad', { value: new Float32Array(8).fill(1) });
    const o = new SGD([imitation], { lr: 1 });
    o.step();
    expect(imitation.data[0]).toBe(-1);
  });

  it('give descriptions that do not lead back to them', () => {
    const arena = new ParameterArena([[8], [3]]);
    const description = arena.describe() as unknown as { parameters: unknown[] };
    description.parameters.pop();
    expect(ParameterArena.open(arena.describe()).parameters).toHaveLength(2);
  });

  it('own their padding: no parameter may lie there, or nothing is joined over it', () => {
    const arena = new ParameterArena([[3], [3]]);
    const padding = { data: arena.data.subarray(5, 6), grad: Float32Array.of(1) };
    const o = new SGD(arena.parameters, { lr: 1 });
    expectError(() => o.addParamGroup({ params: padding }), 'ERR_OVERLAP', 'at index 0 (group 1)');
    new SGD([padding, ...arena.parameters], { lr: 1 }).step(); // who came first is stepped once
    new SGD([...arena.parameters, padding], { lr: 1 }).step();
    expect(padding.data[0]).toBe(-2);
  });
});
