// Runs the test suite on the addon of build-asan/, with the sanitizer's library preloaded: Node
// itself was built without it. Leaks are not looked for, because V8 frees nothing at exit.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = process.env.CXX ?? 'c++';
const query = spawnSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' });
const library = query.stdout?.trim() ?? '';
if (!library.startsWith('/')) {
  console.error(`test:asan: ${compiler} has no libasan.so. On Debian: apt-get install g++`);
  process.exit(1);
}

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const config = join(root, 'test', 'asan', 'vitest.config.ts');
const args = [vitest, 'run', '--config', config, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    LD_PRELOAD: library,
    // What is too large to be had is a null pointer, as without the sanitizer.
    ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
    GRADSTEP_PREBUILD: join(root, 'build-asan'),
  },
});
process.exit(status ?? 1);
