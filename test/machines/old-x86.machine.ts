/** Processors of 2013 and 2008: the right kernels are chosen, and no others are run into. */

import { expect, test } from 'vitest';
import { EMULATED, need, runGoldens } from './machine.ts';

test.for([
  ['Haswell', 'avx2,scalar'],
  ['Nehalem', 'scalar'],
] as const)('x86 as %s, qemu', async ([cpu, isas], { annotate }) => {
  if (process.arch !== 'x64') throw new Error('missing: a machine with an x64 processor');
  const qemu = need('qemu-x86_64', 'qemu-user');
  const said = await runGoldens([qemu, '-cpu', cpu, process.execPath], isas, EMULATED);
  expect(said).toMatch(/^linux-x64 /);
  await annotate(said);
});
