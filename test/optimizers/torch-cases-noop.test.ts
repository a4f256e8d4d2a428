/**
 * Cases of PyTorch's test/test_optim.py for every optimizer:
 * test_step_is_noop_when_params_have_no_grad and test_optimizer_can_be_printed.
 */

import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { bits, forEachOptimizer, parameter } from '../support/helpers.ts';

forEachOptimizer((row) => {
  it('does nothing to parameters without a gradient, whatever the options', () => {
    for (const options of [{}, row.withState, row.other]) {
      const [w, v] = [parameter(), parameter(70)];
      const before = [bits(w.data), bits(v.data)];
      const o = row.make([{ params: [w] }, { params: [v], ...options }], options);
      o.zeroGrad();
      expect(o.step(() => 0.5)).toBe(0.5);
      o.step();
      expect([bits(w.data), bits(v.data)]).toEqual(before);
      expect([w.grad, v.grad]).toEqual([null, null]);
      expect(o.state.size).toBe(0);
    }
  });

  it('prints its name, and of each group the options in alphabetical order', () => {
    const o = row.make([{ params: parameter() }, { params: parameter(), ...row.other }]);
    const lines = (options: Readonly<Record<string, unknown>>) =>
      Object.entries(options)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => {
          return `    ${key}: ${Array.isArray(value) ? `[${value.join(', ')}]` : value}`;
        });
    const expected = [
      `${row.name} (`,
      'Parameter Group 0',
      ...lines(row.defaults),
      '',
      'Parameter Group 1',
      ...lines({ ...row.defaults, ...row.other }),
      ')',
    ].join('\n');
    expect(inspect(o)).toBe(expected);
    expect(`${o}`).toBe(expected);
  });
});
