/** Every bad option of every row: a coded error with torch's phrase, and nothing has changed. */

import { expect, it } from 'vitest';
import { Adam, SGD } from '../../lib/index.ts';
import { bits, expectError, forEachOptimizer, parameter } from '../support/helpers.ts';

forEachOptimizer((row) => {
  it.each(row.bad.map((bad) => [JSON.stringify(bad.options), bad] as const))(
    'refuses %s everywhere',
    (_text, { options, message, code = 'ERR_INVALID_OPTION' }) => {
      // In the constructor, even before the parameters are looked at.
      expectError(() => row.make([parameter()], options), code, message);
      expectError(() => row.make(5, options), code, message);

      // In a group, at construction and later.
      const [w, v] = [parameter(), parameter()];
      const group = Object.freeze({ params: v, ...options });
      expectError(() => row.make([{ params: w }, group]), code, message);
      const o = row.make([w]);
      expectError(() => o.addParamGroup(group as never), code, `${message}`);
      expectError(() => o.addParamGroup(group as never), code, '(group 1)');
      expect(o.paramGroups).toHaveLength(1);
      o.addParamGroup({ params: v } as never); // v was not taken by the failed call

      // Assigned to a live group, or to the defaults.
      const before = { ...o.paramGroups[0]! };
      for (const target of [o.paramGroups[0]!, o.defaults]) {
        expectError(() => Object.assign(target, options), code, message);
      }
      const partial = Object.keys(options).length > 1; // Object.assign had set the first
      if (!partial) expect({ ...o.paramGroups[0]! }).toEqual(before);
      o.step();
    },
  );

  it('takes undefined as left out', () => {
    const options = Object.fromEntries(Object.keys(row.defaults).map((key) => [key, undefined]));
    expect({ ...row.make([], options).defaults }).toEqual(row.defaults);
    expect(row.make([{ params: parameter(), ...options }]).paramGroups[0]).toMatchObject(
      row.defaults,
    );
  });

  it('refuses options that are no object', () => {
    for (const options of [0.1, 'lr', null, [0.1], new Map([['lr', 1]])]) {
      expectError(
        () => row.make([parameter()], options as never),
        'ERR_INVALID_OPTION',
        'Expected options to be an object',
      );
    }
  });

  it('reads each option of a group once', () => {
    let reads = 0;
    const group = {
      params: parameter(),
      get lr() {
        reads += 1;
        return reads === 1 ? 0.5 : -1;
      },
    };
    expect(row.make([group]).paramGroups[0]).toMatchObject({ lr: 0.5 });
    expect(reads).toBe(1);
  });
});

it('takes the edges of every range', () => {
  new SGD([], { lr: 0, momentum: 0, dampening: -3, weightDecay: 0 });
  new Adam([], { lr: 3.4028234663852886e38, betas: [0, 1 - 2 ** -53], eps: 0 });
  expectError(
    () => new Adam([], { lr: 2 ** 128 * (1 - 2 ** -25) }),
    'ERR_INVALID_OPTION',
    'a number that float32 can hold',
  );
});

it('does not run a step with an option that was refused', () => {
  const w = parameter();
  const o = new SGD([w], { lr: 1 });
  expect(() => Object.assign(o.paramGroups[0]!, { lr: Number.NaN })).toThrow(
    'Invalid learning rate',
  );
  o.step();
  expect(bits(w.data)).toEqual(bits(Float32Array.of(1 - 0.1, 2 - 0.2, 3 - 0.3)));
});
