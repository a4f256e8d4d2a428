/** Wrong calls that would change the parameters of an optimizer: a code, and nothing has changed. */

import { describe, expect, it } from 'vitest';
import { Adam, Parameter, type ParameterLike, SGD } from '../../lib/index.ts';
import { expectError, onEachBackend, parameter } from '../support/helpers.ts';
import { snapshot, steps } from './runs.ts';

onEachBackend(() => {
  describe('membership', () => {
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
      ["received an option 'indices'", { indices: [0, 1] }],
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
      const [a, b, c] = [parameter(), parameter(), parameter()];
      let disturb = (): unknown => undefined;
      const disturbing = ({ data, grad }: Parameter) => ({
        get data() {
          disturb();
          return data;
        },
        grad,
      });
      const [hostile, next] = [disturbing(b), disturbing(c)];
      const o = new SGD([a, hostile], { lr: 1 });
      disturb = () => {
        throw new Error('mine');
      };
      expect(() => o.replaceParameter(a, next)).toThrow('mine');
      disturb = () => o.removeParameters(a);
      expectError(() => o.replaceParameter(a, next), 'ERR_BUSY', 'while parameters of the same');
      expectError(() => o.zeroGrad({ setToNone: false }), 'ERR_BUSY', 'inside zeroGrad');
      expectError(() => o.step(), 'ERR_BUSY', 'inside a step');
      disturb = () => undefined;
      const taken = parameter();
      const options = {
        get index() {
          structuredClone(taken.data.buffer, { transfer: [taken.data.buffer as ArrayBuffer] });
          return [0, 1, 2];
        },
      };
      expectError(() => o.replaceParameter(a, taken, options), 'ERR_DETACHED', 'meanwhile');
      expect(o.paramGroups[0]!.params).toEqual([a, hostile]);
      o.removeParameters(a);
      o.step();
      expect(b.data[0]).toBe(Math.fround(1 - Math.fround(0.1)));
    });

    it('looks at nothing but what comes or goes', () => {
      const [a, b, c] = [parameter(), parameter(), parameter()];
      const o = new SGD([a, b, c], { lr: 1 });
      for (const p of [a, b]) {
        structuredClone(p.data.buffer, { transfer: [p.data.buffer as ArrayBuffer] });
      }
      let reads = 0;
      const data = { get: () => new Float32Array(++reads) };
      Object.defineProperty(c, 'data', data);
      o.removeParameters(a);
      o.replaceParameter(b, parameter());
      expect(reads).toBe(0);
    });

    it('lets parameters go whose memory is gone, and no others step without theirs', () => {
      const [a, b, c] = [parameter(), parameter(), parameter()];
      const o = new SGD([a, b, c], { lr: 1 });
      const transfer = (p: Parameter) =>
        structuredClone(p.data.buffer, { transfer: [p.data.buffer as ArrayBuffer] });
      transfer(a);
      transfer(b);
      o.removeParameters(a);
      expectError(() => o.step(), 'ERR_DETACHED', 'at index 0');
      b.data = new Float32Array(3);
      o.step();
      expect([b.data[0], c.data[0]]).toEqual([
        -Math.fround(0.1),
        Math.fround(1 - Math.fround(0.1)),
      ]);
    });
  });
});
