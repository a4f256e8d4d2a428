/** Linux on arm64: the cross-compiled prebuilt addon, with a real Node.js, under emulation. */

import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EMULATED, need, needPrebuild, nodeExecutable, runGoldens, SYSROOT } from './machine.ts';

test.for(['20.20.2', '26.10.0'])('linux-arm64, Node.js %s, qemu', async (version, { annotate }) => {
  needPrebuild('linux-arm64');
  const qemu = need('qemu-aarch64', 'qemu-user');
  const debian = 'apt-get install libc6-dev-arm64-cross';
  if (!existsSync(SYSROOT)) throw new Error(`missing: ${SYSROOT}. On Debian: ${debian}`);
  const node = nodeExecutable(version, 'arm64');
  const said = await runGoldens([qemu, '-L', SYSROOT, node], 'neon,scalar', EMULATED);
  expect(said).toMatch(/^linux-arm64 /);
  await annotate(said);
});
