/** Memory for state that comes and goes: nothing is lost, and nothing that a user holds changes. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { Adam, combine, EMA, Parameter, RMSprop, SGD } from '../../lib/index.ts';
import { bits, expectError, onEachBackend, parameter } from '../support/helpers.ts';

const LENGTH = 1 << 16;
const BYTES = 4 * LENGTH;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What there is when garbage has been collected: what one time finds, the next has swept away. */
function memory(): NodeJS.MemoryUsage {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage();
}

/** How many bytes of buffers so many calls leave behind. */
function grown(count: number, call: (i: number) => void): number {
  const before = memory().arrayBuffers;
  for (let i = 0; i < count; i++) call(i);
  return memory().arrayBuffers - before;
}

onEachBackend(() => {
  it('uses the same memory each time that an option calls for state', () => {
    const [p, same] = [parameter(LENGTH), parameter(LENGTH)];
    const [o, fresh] = [new Adam([p]), new Adam([same], { amsgrad: true })];
    const [group] = o.paramGroups;
    const toggled = grown(50, () => {
      group!.amsgrad = true;
      group!.amsgrad = false;
      o.override(p, { amsgrad: true });
      o.override(p, null);
    });
    expect(toggled).toBeLessThan(4 * BYTES);
    expect(o.state.get(p)).toBeUndefined();
    o.step();
    expect(o.state.get(p)).not.toHaveProperty('maxExpAvgSq');
    const reset = grown(50, () => {
      group!.amsgrad = true;
      o.step();
      group!.amsgrad = false;
      o.resetState();
    });
    expect(reset).toBeLessThan(4 * BYTES);
    group!.amsgrad = true;
    for (const { data } of [p, same]) data.fill(1);
    o.step();
    fresh.step();
    expect(bits(p.data)).toEqual(bits(same.data));
    expect(bits(o.state.get(p)!.maxExpAvgSq!)).toEqual(bits(fresh.state.get(same)!.maxExpAvgSq!));
  });

  it('begins with zeros when a kind of state comes back, whatever was written into it', () => {
    const p = parameter();
    const o = new Adam([p], { amsgrad: true });
    o.step();
    const { maxExpAvgSq } = o.state.get(p)!;
    o.paramGroups[0]!.amsgrad = false;
    o.resetState();
    maxExpAvgSq!.fill(9);
    o.step();
    expect(o.state.get(p)).not.toHaveProperty('maxExpAvgSq');
    o.paramGroups[0]!.amsgrad = true;
    expect([...o.state.get(p)!.maxExpAvgSq!]).toEqual([0, 0, 0]);
  });

  it('loses nothing where calls fail, freeze, reset or combine', () => {
    const [large, small] = [parameter(LENGTH), parameter()];
    const o = new Adam([large, small]);
    const other = new SGD([parameter()], { momentum: 0.9 });
    o.step();
    const overlapping = { data: small.data.subarray(1) };
    const calls = [
      () => expectError(() => o.addParamGroup({ params: overlapping }), 'ERR_OVERLAP', '0'),
      () => expectError(() => o.replaceParameter(small, large, {}), 'ERR_INVALID_ARGUMENT', ''),
      () => Object.assign(o.paramGroups[0]!, { frozen: true }),
      () => Object.assign(o.paramGroups[0]!, { frozen: false }),
      () => o.override(large, { lr: 1, weightDecay: 0.1 }),
      () => o.override(large, null),
      () => o.resetState(),
      () => o.resetState(small),
      () => combine([o, other]).step(),
    ];
    for (const call of calls) call();
    expect(grown(1000 * calls.length, (i) => calls[i % calls.length]!())).toBeLessThan(BYTES);
  });

  it('lets what one parameter had go to the one in its place', () => {
    let p = parameter(LENGTH);
    const o = new RMSprop([p, parameter(LENGTH)], { momentum: 0.9, centered: true });
    const options = [{}, { state: 'reset' }, { index: Int32Array.from(p.data.keys()) }] as const;
    const replaced = grown(60, (i) => {
      o.step();
      const next = new Parameter(p.data);
      next.grad = p.grad;
      o.replaceParameter(p, next, options[i % 3]);
      p = next;
    });
    expect(replaced).toBeLessThan(12 * BYTES);
  });

  it('leaves views of a parameter that was replaced as they were', () => {
    for (const options of [{}, { state: 'reset' }, { index: [2, 1, 0] }] as const) {
      const [a, next] = [parameter(), parameter()];
      const o = new Adam([a, parameter()]);
      o.step();
      const before = o.state.get(a)!;
      const [expAvg] = [bits(before.expAvg)];
      o.replaceParameter(a, next, options);
      if (!('state' in options) && !('index' in options)) {
        expect(o.state.get(next)!.expAvg).toBe(before.expAvg); // it has come along
      } else {
        o.step();
        expect(bits(before.expAvg)).toEqual(expAvg);
      }
      o.step();
      expect(before.step).toBe(1);
    }
  });

  it('never gives memory that a user may hold to somebody else', () => {
    const params = [parameter(20), parameter(LENGTH)];
    const o = new Adam(params);
    o.step();
    const held = params.map((p) => o.state.get(p)!.expAvgSq);
    const before = held.map(bits);
    o.dispose();
    const others = Array.from({ length: 20 }, () => new Adam([parameter(20), parameter(LENGTH)]));
    for (const other of others) other.step();
    expect(held.map(bits)).toEqual(before);
    for (const array of held) array.fill(3);
    const again = params.map((p) => new Adam([new Parameter(p.data.slice())]));
    for (const fresh of again) fresh.step();
    expect(held.map((array) => array.every((value) => value === 3))).toEqual([true, true]);
  });

  it('has no state when it has been disposed of', () => {
    const p = parameter();
    const o = new Adam([p]);
    o.step();
    o.dispose();
    for (const call of [
      () => o.state.get(p),
      () => o.state.has(p),
      () => o.state.size,
      () => [...o.state],
    ]) {
      expectError(call, 'ERR_DISPOSED', 'state');
    }
    expect(o.paramGroups[0]!.lr).toBe(1e-3);
  });

  it('counts what it takes, so that garbage is collected in time', () => {
    const before = memory().external;
    const p = Parameter.zeros([1 << 22]);
    const all = [new Adam([p]), new EMA([p])]; // three times 16 MB
    expect(process.memoryUsage().external - before).toBeGreaterThan(3 * p.data.byteLength);
    expect(all).toHaveLength(2);
  });
});
