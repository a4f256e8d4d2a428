/**
 * Requires the addon's file. The CommonJS build has a form of this in its place that bundlers and
 * tracers of files understand (`scripts/build-node.mjs`).
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The folder of the package, in which node-gyp-build looks. Bundlers may know of no folder. */
export const packageRoot: string = join(import.meta.dirname ?? '.', '../..');

/** The addon in this file, or without one whatever node-gyp-build finds. */
export function requireAddon(file?: string): unknown {
  const require = createRequire(import.meta.url);
  return file === undefined ? require('node-gyp-build')(packageRoot) : require(file);
}
