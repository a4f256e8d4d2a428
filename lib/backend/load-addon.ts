/** Finds and loads the addon, or says what stands in the way and what helps. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../support/environment.ts';
import { GradstepError } from '../support/errors.ts';
import type { Addon } from './native.ts';
import { packageRoot, requireAddon } from './require-addon.ts';

/**
 * Loads the addon: the file that `GRADSTEP_ADDON` names, else a prebuilt one or the local build.
 * @throws {GradstepError} `ERR_NATIVE_UNAVAILABLE`, with what was tried and how to mend it.
 */
export function loadAddon(): Addon {
  const file = environment('GRADSTEP_ADDON');
  try {
    return requireAddon(file || undefined) as Addon;
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n');
    const { platform, arch, version } = process;
    const from = file === '' ? packageRoot : `${file} (GRADSTEP_ADDON)`;
    throw new GradstepError(
      'ERR_NATIVE_UNAVAILABLE',
      `No native addon for ${platform}-${arch} (Node.js ${version}) could be loaded from ${from}: ` +
        `${reason}. ${advice(cause as Error & { code?: string }, file)}`,
      { cause },
    );
  }
}

function advice({ code }: { code?: string }, file: string): string {
  if (code === 'ERR_DLOPEN_DISABLED' || code === 'ERR_ACCESS_DENIED') {
    return 'This process may not load it: Node.js needs --allow-addons and leave to read it';
  }
  if (file !== '') return 'Let GRADSTEP_ADDON name a file that this platform can load';
  if (!isInstalled()) {
    return (
      "This code was bundled without it: mark 'gradstep' as external in the bundler's options, " +
      'or ship the .node file and name it in GRADSTEP_ADDON'
    );
  }
  return (
    "Compile one with 'npx gradstep build', which downloads nothing; that needs a C++17 compiler, " +
    'make and Python 3'
  );
}

/** Whether this code lies in its package; else a bundler has moved it. */
function isInstalled(): boolean {
  try {
    return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).name === 'gradstep';
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_ACCESS_DENIED';
  }
}
