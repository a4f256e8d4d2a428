/** Fails every test file that would not step with the instrumented addon, under the sanitizer. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { loadedLibraries } from '../support/loaded.ts';

const { backend } = await import('../../lib/index.ts');
vi.resetModules(); // so that a test file may still put something in a module's place

const folder = fileURLToPath(new URL('../../build-asan/', import.meta.url));
const addons = loadedLibraries().filter((file) => file.endsWith('.node') && /gradstep/.test(file));

if (backend() !== 'native' || addons.length !== 1 || !addons[0]!.startsWith(folder)) {
  throw new Error(`Expected the addon of ${folder} but loaded ${addons.join(', ') || 'none'}`);
}
const code = readFileSync(addons[0]!, 'latin1');
for (const check of [/__asan_(report_)?load4/, /__ubsan_handle_type_mismatch/]) {
  if (!check.test(code)) throw new Error(`${addons[0]} was built without ${check.source}`);
}
if (!loadedLibraries().some((file) => /libasan|libclang_rt\.asan/.test(file))) {
  throw new Error('The sanitizer does not watch this process: is LD_PRELOAD set?');
}
