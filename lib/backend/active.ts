/** Which backend new optimizers use. `gradstep` puts the native one in force when it loads. */

import { GradstepError } from '../support/errors.ts';
import type { Backend, BackendName } from './backend.ts';
import { useRegister } from './busy-memory.ts';
import { portable } from './portable/portable.ts';

const backends = new Map<BackendName, Backend>([['portable', portable]]);
let active: Backend = portable;

/** Makes a backend available and puts it in force. @internal */
export function registerBackend(backend: Backend): void {
  backends.set(backend.name, backend);
  if (backend.busy !== undefined) useRegister(backend.busy);
  active = backend;
}

/** The backend in force. @internal */
export function activeBackend(): Backend {
  return active;
}

/** The backend that new optimizers use: `'native'`, or `'portable'` where the addon is missing. */
export function backend(): BackendName {
  return active.name;
}

/**
 * Chooses the backend of optimizers made from now on. Both give the same bits; this is for tests
 * and comparisons.
 * @throws {GradstepError} `ERR_BACKEND` for another name, `ERR_NATIVE_UNAVAILABLE` where the
 * addon is not loaded.
 */
export function setBackend(name: BackendName): void {
  const chosen = backends.get(name);
  if (chosen !== undefined) {
    active = chosen;
  } else if (name === 'native') {
    throw new GradstepError(
      'ERR_NATIVE_UNAVAILABLE',
      "The native backend is not loaded: import 'gradstep' (not 'gradstep/portable') and see its " +
        'warning if there was one',
    );
  } else {
    throw new GradstepError(
      'ERR_BACKEND',
      `Expected a backend to be 'native' or 'portable' but received '${String(name)}'`,
    );
  }
}

/** The instruction set that steps: `'avx512'`, `'avx2'`, `'neon'`, `'scalar'`, or `'portable'`. */
export function isa(): string {
  return active.isa();
}

/** The instruction sets that this processor can run, best first. */
export function isas(): readonly string[] {
  return active.isas();
}

/**
 * Forces an instruction set for all steps of this process from now on; for tests, since all give
 * the same bits. `GRADSTEP_ISA` does the same from the start.
 * @throws {GradstepError} `ERR_ISA` when this processor cannot run it.
 */
export function setIsa(name: string): void {
  if (typeof name === 'string' && active.setIsa(name)) return;
  throw new GradstepError(
    'ERR_ISA',
    `Expected an instruction set that this machine can run (${active.isas().join(', ')}) ` +
      `but received '${String(name)}'`,
  );
}
