/** Every line of Node.js that the package supports, and the oldest version of all. */

import { isas } from 'gradstep';
import { expect, test } from 'vitest';
import { nodeExecutable, runGoldens } from './machine.ts';

const VERSIONS = [
  '20.19.4',
  '20.20.2',
  '21.7.3',
  '22.23.3',
  '23.11.1',
  '24.21.0',
  '25.9.0',
  '26.10.0',
] as const;

test.for(VERSIONS)('Node.js %s', async (version, { annotate }) => {
  if (process.arch !== 'x64') throw new Error('missing: a machine with an x64 processor');
  const said = await runGoldens([nodeExecutable(version)], isas().join());
  expect(said).toMatch(`linux-x64 v${version}`);
  await annotate(said);
});

/** The first version whose engine has relaxed SIMD without a flag. */
const RELAXED = 21;

test.for(VERSIONS)('Node.js %s, wasm', async (version, { annotate }) => {
  if (process.arch !== 'x64') throw new Error('missing: a machine with an x64 processor');
  const sets = ['wasm-relaxed-simd', 'wasm-simd128'].slice(
    Number.parseInt(version, 10) < RELAXED ? 1 : 0,
  );
  const said = await runGoldens([nodeExecutable(version)], sets.join(), 'Infinity', 'wasm');
  expect(said).toMatch(`linux-x64 v${version}`);
  await annotate(said);
});
