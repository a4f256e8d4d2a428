/** Optimizers that users write, whose update goes wrong. */

import { describe, expect, it } from 'vitest';
import { GradstepError } from '../../lib/index.ts';
import { bits, elastic, expectError, onEachBackend, parameter } from '../support/helpers.ts';
import { made, type UpdateContext } from './made.ts';

const fails = () => {
  throw new Error('not this one');
};

onEachBackend(() => {
  describe('when update fails', () => {
    const failAt = (which: number, act: (context: UpdateContext) => unknown) => {
      const params = [parameter(3, 'a'), parameter(3, 'b'), parameter(3, 'c')];
      let calls = 0;
      const Own = made((context) => {
        context.data.fill(9);
        return calls++ === which ? act(context) : undefined;
      });
      return { params, o: new Own(params) };
    };

    it('keeps the steps of the parameters before it, and touches none after it', () => {
      const { params, o } = failAt(1, () => {
        throw new RangeError('mine');
      });
      const before = bits(params[2]!.data);
      let error: unknown;
      try {
        o.step();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(GradstepError);
      expect(error).toMatchObject({ code: 'ERR_UPDATE', cause: new RangeError('mine') });
      expect((error as Error).message).toMatch(
        /^update of Made failed at parameter 'b' \(group 0\): mine/,
      );
      expect([...params[0]!.data, ...params[1]!.data]).toEqual([9, 9, 9, 9, 9, 9]);
      expect(bits(params[2]!.data)).toEqual(before);
      expect(params.map((p) => o.state.get(p)?.step)).toEqual([1, undefined, undefined]);
      o.step();
      expect(params.map((p) => o.state.get(p)?.step)).toEqual([2, 1, 1]);
    });

    it.each([
      ['a promise', async () => {}],
      ['a promise that fails', async () => Promise.reject(new Error('never seen'))],
      // biome-ignore lint/suspicious/noThenProperty: that is what is tested
      ['a thenable', () => ({ then() {} })],
    ])('refuses %s', async (_what, act) => {
      const { o } = failAt(0, act);
      expectError(() => o.step(), 'ERR_UPDATE', 'returned a promise');
      await new Promise((resolve) => setTimeout(resolve, 5));
      o.step();
    });

    it.each(['data', 'grad'] as const)(
      'notices %s of a later parameter that it has shrunk or grown',
      (field) => {
        for (const gradScale of [1, 0.5]) {
          for (const bytes of [8, 32]) {
            const { data, resize } = elastic();
            const odd = Object.assign(parameter(4, 'odd'), { [field]: data });
            const lengths: number[] = [];
            const Own = made((context) => {
              resize(bytes);
              lengths.push(context.data.length, context.grad.length);
            });
            const o = new Own([parameter(2), odd], { gradScale });
            expectError(() => o.step(), 'ERR_DETACHED', `${field} of parameter`);
            expect(lengths).toEqual([2, 2]);
          }
        }
      },
    );

    it.each([
      ['nothing', undefined],
      ['a string', 'mine'],
      ['an object that lies', Object.create(null)],
      ['an error without words', Object.assign(new Error(), { message: Symbol('mine') })],
      ['an error that throws', Object.defineProperty(new Error(), 'message', { get: fails })],
    ])('takes whatever was thrown: %s', (_what, cause) => {
      const { o } = failAt(0, () => {
        throw cause;
      });
      expectError(() => o.step(), 'ERR_UPDATE', 'failed at parameter');
    });

    const transfer = (array: Float32Array<ArrayBufferLike>) =>
      structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });

    it('tells of memory that it took away: its own, and a later parameter’s', () => {
      const own = failAt(0, ({ data }) => void transfer(data));
      expectError(() => own.o.step(), 'ERR_DETACHED', "data of parameter 'a'");
      expect(own.o.state.size).toBe(0);
      for (const field of ['data', 'grad'] as const) {
        const later = failAt(0, () => void transfer(later.params[2]![field]!));
        expectError(() => later.o.step(), 'ERR_DETACHED', `${field} of parameter 'c'`);
        expect(later.o.state.size).toBe(2);
        later.params[2]![field] = new Float32Array(3);
        later.o.step();
        expect(later.o.state.get(later.params[2]!)!.step).toBe(1);
      }
    });

    it('refuses calls of its own optimizer', () => {
      for (const call of ['step', 'zeroGrad', 'dispose', 'addParamGroup'] as const) {
        const { o } = failAt(0, () =>
          (o[call] as (group: object) => void)({ params: parameter() }),
        );
        expectError(() => o.step(), 'ERR_UPDATE', `${call} was called inside a step`);
        o.step();
      }
    });
  });

  it('does not begin before everything is checked', () => {
    let calls = 0;
    const [w, v] = [parameter(), parameter()];
    const o = new (made(() => void calls++))([w, v]);
    v.grad = new Float32Array(5);
    expectError(() => o.step(), 'ERR_INVALID_GRADIENT', 'at index 1');
    v.grad = w.data;
    expectError(() => o.step(), 'ERR_OVERLAP', 'shares memory');
    expect(calls).toBe(0);
  });
});
