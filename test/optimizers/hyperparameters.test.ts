/** A group's struct: what TypeScript writes is what C++ reads, field by field. */

import { expect, it } from 'vitest';
import { loadAddon } from '../../lib/backend/load-addon.ts';
import { Adam, stepAll } from '../../lib/index.ts';
import { expectError, parameter } from '../support/helpers.ts';
import { optimizerCases } from './optimizer-cases.ts';

const addon = loadAddon();

/** The rules and their structs as TypeScript lays them out, taken from live optimizers. */
function openings(): { rule: string; fields: readonly string[]; record: readonly string[] }[] {
  const seen: ReturnType<typeof openings> = [];
  const { open } = addon;
  addon.open = (rule, fields, record) => {
    seen.push({ rule, fields, record });
    return open(rule, fields, record);
  };
  try {
    for (const row of optimizerCases) row.make([parameter()]);
  } finally {
    addon.open = open;
  }
  return seen;
}

it('has every field in the place where C++ reads it', () => {
  const seen = openings();
  expect(seen.map(({ rule }) => rule)).toEqual(
    optimizerCases.map(({ name }) => name.toLowerCase()),
  );
  for (const { rule, fields, record } of seen) {
    const handle = addon.open(rule, fields, record);
    const struct = Float64Array.from(fields, (_, i) => i + 0.5);
    addon.addGroup(handle, struct, new Float64Array(0), []);
    const expected = fields.map((name, i) => [name, i + 0.5]);
    expect(Object.entries(addon.debugHyperparameters(handle, 0))).toEqual(expected);
  }
});

it('shows in C++ what is assigned to a live group', () => {
  const { open } = addon;
  let handle = {};
  addon.open = (...args) => {
    handle = open(...args);
    return handle;
  };
  const o = new Adam([parameter()]);
  addon.open = open;
  const group = o.paramGroups[0]!;
  group.lr = 0.25;
  group.betas = [0.5, 0.75];
  group.maximize = true;
  expect(addon.debugHyperparameters(handle, 0)).toEqual({
    lr: 0.25,
    beta1: 0.5,
    beta2: 0.75,
    eps: 1e-8,
    weightDecay: 0,
    amsgrad: 0,
    maximize: 1,
  });
});

it('steps with one native call, whatever the number of groups and parameters', () => {
  const calls: string[] = [];
  const original = { ...addon };
  for (const [name, call] of Object.entries(original)) {
    const counted = (...args: unknown[]) => {
      calls.push(name);
      const result = (call as (...args: unknown[]) => unknown)(...args);
      if (typeof result !== 'function') return result;
      return (...given: unknown[]) => {
        calls.push(name.replace('Of', ''));
        return result(...given);
      };
    };
    Object.assign(addon, { [name]: counted });
  }
  try {
    const o = new Adam(Array.from({ length: 500 }, () => ({ params: [parameter(), parameter()] })));
    o.step();
    const others = Array.from({ length: 20 }, () => new Adam([parameter(), parameter()]));
    stepAll([...others, o]);
    calls.length = 0;
    for (const group of o.paramGroups) group.lr *= 0.5;
    o.step();
    expect(calls).toEqual(['step']);
    calls.length = 0;
    stepAll([...others, o]);
    expect(calls.filter((name) => name !== 'verifyMemory')).toEqual(['sequence']);
  } finally {
    Object.assign(addon, original);
  }
});

it('refuses an addon that was built from other sources', () => {
  const fields = ['lr', 'momentum', 'dampening', 'nesterov', 'weightDecay', 'maximize'];
  const codeOf = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      return (error as { code?: string }).code;
    }
    return undefined;
  };
  expect(codeOf(() => addon.open('sgd', fields, ['step']))).toBe('ERR_INTERNAL');
  expect(codeOf(() => addon.open('sgd', ['lr'], ['step']))).toBe('ERR_INTERNAL');
  expect(codeOf(() => addon.open('nosuch', [], []))).toBe('ERR_INTERNAL');
});

it('refuses handles that are wrong, foreign or disposed, and arguments that are', () => {
  const fields = ['lr', 'momentum', 'dampening', 'weightDecay', 'nesterov', 'maximize'];
  const handle = addon.open('sgd', fields, ['step']);
  const floats = new Float32Array(3);
  addon.addGroup(handle, new Float64Array(6), new Float64Array(1), [floats]);
  const misuses: (() => unknown)[] = [
    ...[{}, null, 5, 'x', undefined, new Date(), Object.create(handle)].map(
      (wrong) => () => addon.stepOf(wrong as object)(),
    ),
    () => addon.setGrad(handle, 1, floats),
    () => addon.setGrad(handle, -1, floats),
    () => addon.setGrad(handle, 0.5 as never, new Float32Array(2)),
    () => addon.setGrad(handle, 0, new Float32Array(2)),
    () => addon.setGrad(handle, 0, new Float64Array(3) as never),
    () => addon.setGrad(handle, 0, undefined as never),
    () => addon.setArrays({}, false),
    () => addon.setArrays(handle, false, 1, floats),
    () => addon.setArrays(handle, true, 0),
    () => addon.setArrays(handle, true, ...Array.from({ length: 129 }, () => [0, floats]).flat()),
    () => addon.setStates(handle, 4, floats, new Float64Array([0, 0]), 1),
    () => addon.setStates(handle, 0, floats, new Float64Array([1, 0]), 1),
    () => addon.setStates(handle, 0, floats, new Float64Array([0, 1]), 1),
    () => addon.setStates(handle, 0, floats, new Float64Array([0, -1]), 1),
    () => addon.setStates(handle, 0, floats, new Float64Array([0, Number.NaN]), 1),
    () => addon.setStates(handle, 0, floats, new Float64Array([0, 0]), 2),
    () => addon.ownLines(handle, 0, 2),
    () => addon.ownLines(handle, 1, 1),
    () => addon.addGroup(handle, new Float64Array(5), new Float64Array(1), [floats]),
    () => addon.addGroup(handle, new Float64Array(6), new Float64Array(0), [floats]),
    () => addon.claimState(handle, floats as never),
    () => addon.debugFma(floats, floats, floats, new Float32Array(2)),
    () => addon.debugPower('0.5' as never, 1),
    () => addon.debugHyperparameters(handle, 1),
    () => (addon.open as () => unknown)(),
    () => (addon.addGroup as unknown as (h: object) => unknown)(handle),
    () => addon.setIsa(5 as never),
  ];
  for (const [i, misuse] of misuses.entries()) expect(misuse, `misuse ${i}`).toThrow(Error);
  addon.stepOf(handle)();
  addon.dispose(handle);
  addon.dispose(handle);
  expect(() => addon.stepOf(handle)()).toThrow('disposed');
});

it('reports state that an option needs and nobody gave, instead of writing through null', () => {
  const fields = ['lr', 'momentum', 'dampening', 'weightDecay', 'nesterov', 'maximize'];
  const handle = addon.open('sgd', fields, ['step']);
  const struct = Float64Array.of(1, 0.9, 0, 0, 0, 0);
  const steps = new Float64Array(1);
  const [data, grad] = [new Float32Array(3), new Float32Array(3).fill(1)];
  addon.addGroup(handle, struct, steps, [data]);
  addon.setGrad(handle, 0, grad);
  expect(addon.stepOf(handle)()).toEqual({ kind: 'missingState', slot: 0, other: -1 });
  struct[1] = 0;
  for (const count of [-1, Number.NaN, 2 ** 60, Number.POSITIVE_INFINITY]) {
    steps[0] = count;
    expect(addon.stepOf(handle)()).toMatchObject({ kind: 'badCount' });
  }
  steps[0] = 0;
  struct[0] = Number.NaN;
  expect(addon.stepOf(handle)()).toMatchObject({ kind: 'overflow' });
  struct[0] = 1;
  expect(addon.stepOf(handle)()).toBeUndefined();
  expect([...data]).toEqual([-1, -1, -1]);
});

it('refuses the name of no instruction set', async () => {
  const { setIsa } = await import('../../lib/index.ts');
  expectError(() => setIsa('sse9'), 'ERR_ISA', "received 'sse9'");
});
