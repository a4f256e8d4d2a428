/** Memory for state: what is refused or fails gets none, and nothing is made twice. */

import { expect, it, vi } from 'vitest';
import { Space } from '../../lib/backend/wasm/space.ts';
import { Adam, Parameter, RMSprop } from '../../lib/index.ts';
import { expectError, onEachBackend, parameter } from '../support/helpers.ts';

/** Counts slabs while `run` runs, and lets only so many be made. */
function withSlabs(most: number, run: () => void): number {
  const original = globalThis.SharedArrayBuffer;
  let made = 0;
  globalThis.SharedArrayBuffer = class extends original {
    constructor(bytes: number) {
      if (made >= most) throw new RangeError('Array buffer allocation failed');
      made += 1;
      super(bytes);
    }
  } as never;
  const allocate = Space.prototype.allocate;
  const spaces = vi.spyOn(Space.prototype, 'allocate').mockImplementation(function (
    this: Space,
    bytes,
  ) {
    if (made >= most) return undefined;
    made += 1;
    return allocate.call(this, bytes);
  });
  try {
    run();
  } finally {
    spaces.mockRestore();
    globalThis.SharedArrayBuffer = original;
  }
  return made;
}

onEachBackend(() => {
  it('gives no state to what is refused, and none twice', () => {
    const [large, other] = [Parameter.zeros([1 << 20]), Parameter.zeros([1 << 20])];
    large.ensureGrad();
    const small = parameter(); // never stepped: what it needs comes and goes
    small.grad = null;
    const o = new Adam([large, small]);
    o.step();
    const overlaps = [large, small].map(({ data }) => ({ data: data.subarray(1) }));
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100; i++) {
      expectError(() => o.addParamGroup({ params: [other, overlaps[0]!] }), 'ERR_OVERLAP', '1');
      expectError(() => o.addParamGroup({ params: overlaps[1]! }), 'ERR_OVERLAP', '0');
      o.paramGroups[0]!.amsgrad = i % 2 === 0;
    }
    // The third kind of state of `large`, once; and perhaps the next slab, of twice the size.
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(grown).toBeLessThan(4 * large.data.byteLength);
  });

  it('takes back what was given to a group whose state does not fit as a whole', () => {
    const o = new Adam([parameter()]);
    const huge = parameter(1 << 20);
    const before = process.memoryUsage().arrayBuffers;
    withSlabs(1, () => {
      // It would do for the first of two kinds of state.
      expectError(() => o.addParamGroup({ params: huge }), 'ERR_OUT_OF_MEMORY', 'MiB');
    });
    o.addParamGroup({ params: huge });
    o.step();
    expect(o.state.get(huge)!.expAvg.every((value) => value !== 0)).toBe(true);
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(grown).toBeLessThan(2.5 * huge.data.byteLength);
  });

  it('needs no memory where all state is there', () => {
    const params = [parameter(), parameter(), parameter()];
    const o = new Adam(params);
    o.step();
    o.removeParameters(params[0]!);
    const made = withSlabs(0, () => {
      o.resetState();
      Object.assign(o.paramGroups[0]!, { amsgrad: false });
    });
    expect(made).toBe(0);
    o.step();
  });

  it('takes back what was given to a parameter whose options need more than there is', () => {
    const large = parameter(1 << 20);
    const o = new RMSprop([large]);
    const more = { centered: true, momentum: 0.9 };
    const before = process.memoryUsage().arrayBuffers;
    for (const _ of [1, 2, 3]) {
      withSlabs(1, () => expectErrorOrNot(() => o.override(large, more)));
    }
    o.override(large, more);
    o.step();
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(grown).toBeLessThan(2.5 * large.data.byteLength);
  });
});

/** The first try fails for the second array; a later one may find room in what the first left. */
function expectErrorOrNot(call: () => void): void {
  try {
    call();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
  }
}
