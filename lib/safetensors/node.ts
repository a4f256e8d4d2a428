/**
 * Node.js's own modules, asked for by name when a file is touched: bundlers for browsers then find
 * no import that they cannot resolve, and what works on bytes alone runs there.
 */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

interface Modules {
  readonly 'node:crypto': typeof import('node:crypto');
  readonly 'node:fs/promises': typeof import('node:fs/promises');
  readonly 'node:path': typeof import('node:path');
}

/** @throws {GradstepError} `ERR_FILE` where there are no files. */
export function nodeModule<Name extends keyof Modules>(name: Name): Modules[Name] {
  const { process } = globalThis;
  if (typeof process?.getBuiltinModule === 'function') {
    return process.getBuiltinModule(name) as Modules[Name];
  }
  throw new GradstepError(
    'ERR_FILE',
    'Files need Node.js, 20.16 or later; serialize() and deserialize() work on bytes everywhere',
  );
}

/** @throws {GradstepError} `ERR_INVALID_ARGUMENT` for what names no file. */
export function checkPath(path: unknown): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected the path of a file as a string but received ${describe(path)}`,
  );
}
