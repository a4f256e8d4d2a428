/** The native tests on arm64: NEON against the scalar kernels, the pool, and steps on it. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from '../support/consumer.ts';
import { need, SYSROOT } from './machine.ts';

const run = promisify(execFile);

test('native tests on linux-arm64, qemu', async ({ annotate }) => {
  const cmake = need('cmake', 'cmake');
  const compiler = need('aarch64-linux-gnu-g++', 'g++-aarch64-linux-gnu');
  const qemu = need('qemu-aarch64', 'qemu-user');
  const build = join(root, 'build-arm64');
  const definitions = {
    CMAKE_SYSTEM_NAME: 'Linux',
    CMAKE_SYSTEM_PROCESSOR: 'aarch64',
    CMAKE_CXX_COMPILER: compiler,
    CMAKE_CROSSCOMPILING_EMULATOR: [qemu, '-L', SYSROOT].join(';'),
    GRADSTEP_BUILD_TESTS: 'ON',
  };
  const defined = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
  await run(cmake, ['-S', root, '-B', build, ...defined], { maxBuffer: 64 << 20 });
  await run(cmake, ['--build', build, '--parallel', '2'], { maxBuffer: 64 << 20 });
  const args = ['--test-dir', build, '--exclude-regex', 'manifest', '--output-on-failure'];
  const { stdout } = await run('ctest', args).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  expect(stdout).toMatch(/100% tests passed, 0 tests failed out of [1-9]/);
  await annotate(stdout.match(/.*tests passed.*/)![0]);
});
