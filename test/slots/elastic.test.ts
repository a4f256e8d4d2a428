/** Arrays over buffers that grow and shrink: the registered length counts, or nothing happens. */

import { describe, expect, it } from 'vitest';
import { Adam, clipGradNorm, EMA, Optimizer, SGD } from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

type Floats = Float32Array<ArrayBufferLike>;
type Elastic = { resize?(bytes: number): void; grow?(bytes: number): void };
type Make = new (bytes: number, options: object) => ArrayBufferLike;

const kinds: Record<string, Make> = {
  'a resizable ArrayBuffer': ArrayBuffer as unknown as Make,
  'a growable SharedArrayBuffer': SharedArrayBuffer as unknown as Make,
};

class Own extends Optimizer<{ lr: number }> {
  static defaults = { lr: 1 };
  override update({ data }: { data: Floats }): void {
    data.fill(5);
  }
}

onEachBackend(() => {
  describe.each(Object.entries(kinds))('%s', (_kind, Memory) => {
    /** Arrays that follow the length of their buffers, and how to make these longer. */
    const elastic = () => {
      const buffers = [0, 1].map(() => new Memory(16, { maxByteLength: 64 }));
      const [data, grad] = buffers.map((buffer) => new Float32Array(buffer)) as [Floats, Floats];
      grad.fill(1);
      const resize = (bytes: number, which = buffers) => {
        for (const buffer of which as Elastic[]) {
          if (buffer.resize) buffer.resize(bytes);
          else buffer.grow!(bytes);
        }
      };
      return { p: { data, grad }, buffers, resize };
    };

    it.each<[string, (params: { data: Floats; grad: Floats }[]) => { step(): unknown }]>([
      ['SGD', (params) => new SGD(params, { lr: 1, maxGradNorm: 1, zeroGradInStep: true })],
      ['Adam', (params) => new Adam(params)],
      ['an own optimizer', (params) => new Own(params)],
    ])('%s refuses what has grown, and goes on with an array of the old length', (_n, make) => {
      for (const which of [0, 1]) {
        const w = parameter(3) as { data: Floats; grad: Floats };
        const { p, buffers, resize } = elastic();
        const o = make([w, p]);
        o.step();
        const before = bits(w.data);
        resize(32, [buffers[which]!]);
        expectError(() => o.step(), 'ERR_DETACHED', 'grown');
        expect(bits(w.data)).toEqual(before);
        expect([...p.grad.slice(4)].every((value) => value === 0)).toBe(true);
        p[which === 0 ? 'data' : 'grad'] = new Float32Array(buffers[which]!, 0, 4);
        o.step();
      }
    });

    it('an average refuses it too, in every call', () => {
      const { p, resize } = elastic();
      const ema = new EMA([p]);
      ema.update();
      ema.swap();
      resize(32);
      expectError(() => ema.restore(), 'ERR_DETACHED', 'grown');
      p.data = new Float32Array(p.data.buffer, 0, 4);
      ema.restore();
      ema.update();
      ema.swap();
      expect([...new Float32Array(p.data.buffer, 16)]).toEqual([0, 0, 0, 0]);
    });

    it('gradients are clipped as they are, and zeroed as far as they were registered', () => {
      const { p, resize } = elastic();
      const o = new SGD([p]);
      o.step();
      resize(32);
      p.grad.fill(1);
      expect(clipGradNorm(o.paramGroups[0]!.params, 100)).toBeCloseTo(Math.sqrt(8));
      expectError(() => o.step(), 'ERR_DETACHED', 'grown');
      expectError(() => o.zeroGrad({ setToNone: false }), 'ERR_DETACHED', 'grown');
      expect([...p.grad]).toEqual(new Array(8).fill(1));
    });
  });
});
