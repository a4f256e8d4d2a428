/** The table itself: that no row leaves out what the suite goes through. */

import { describe, expect, it, test } from 'vitest';
import * as gradstep from '../../lib/index.ts';
import { goldenFiles } from './golden.ts';
import { optimizerCases } from './optimizer-cases.ts';

/** Takes no parameters but matrices, and has all that the table tests in a test of its own. */
const APART = ['Muon'];

/** Held against a paper, or to a tolerance, each in a test of its own. */
const WITHOUT_BITS = ['Lion', 'Adafactor', 'LAMB', 'LARS', 'Adan', 'AdEMAMix'];

const names = optimizerCases.map(({ name }) => name);

test('every exported optimizer has a row', () => {
  const exported = Object.entries(gradstep)
    .filter(
      ([, value]) => (value as { prototype?: object }).prototype instanceof gradstep.Optimizer,
    )
    .map(([name]) => name);
  expect([...names, ...APART].sort()).toEqual(exported.sort());
});

test('every optimizer whose bits torch determines has its goldens', () => {
  const recorded = goldenFiles().map(({ optimizer }) => optimizer);
  expect(recorded.sort()).toEqual(names.filter((name) => !WITHOUT_BITS.includes(name)).sort());
});

/** The options that some golden of an optimizer sets. */
const given = (optimizer: string) =>
  new Set(
    goldenFiles()
      .filter((file) => file.optimizer === optimizer)
      .flatMap(({ cases }) => cases)
      .flatMap(({ defaults, groups, phases }) => [
        defaults,
        ...[...groups, ...phases.flatMap((phase) => phase.groups ?? [])].map((g) => g.options),
        ...phases.flatMap((phase) => phase.edits ?? []).map((edit) => edit.options),
      ])
      .flatMap(Object.keys),
  );

describe.each(optimizerCases.map((row) => [row.name, row] as const))('%s', (name, row) => {
  const options = Object.keys(row.defaults);

  it('has another value for every option', () => {
    const together = new Set(Object.keys(row.other));
    const missing = options.filter((option) => !together.has(option));
    // Nesterov's momentum excludes dampening, which is among the others.
    expect(missing).toEqual(['SGD', 'LARS'].includes(name) ? ['nesterov'] : []);
    for (const [option, value] of Object.entries(row.other)) {
      expect(value, option).not.toEqual(row.defaults[option]);
    }
  });

  it('has a bad value for every option, and a misspelt name', () => {
    const bad = new Set(row.bad.flatMap((each) => Object.keys(each.options)));
    expect(options.filter((option) => !bad.has(option))).toEqual([]);
    expect(row.bad.some(({ code }) => code === 'ERR_UNKNOWN_OPTION')).toBe(true);
  });
});

test.each(names.filter((name) => !WITHOUT_BITS.includes(name)))(
  '%s has goldens with every option',
  (name) => {
    const { defaults } = optimizerCases.find((row) => row.name === name)!;
    const recorded = given(name);
    expect(Object.keys(defaults).filter((option) => !recorded.has(option))).toEqual([]);
  },
);
