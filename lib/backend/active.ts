/**
 * Which backend new optimizers use: `gradstep` puts the native one in force when it loads; without
 * one it is `wasm`, started when it is first needed, and where that cannot run `portable`.
 */

import { environment } from '../support/environment.ts';
import { GradstepError } from '../support/errors.ts';
import { warn } from '../support/warn.ts';
import type { Backend, BackendName } from './backend.ts';
import { useRegister } from './busy-memory.ts';
import { portable } from './portable/portable.ts';
import { wasmBackend } from './wasm/wasm.ts';

/** All names, best first. @internal */
export const BACKENDS = ['native', 'wasm', 'portable'] as const satisfies readonly BackendName[];

let native: Backend | undefined;
let active: Backend | undefined;

/** Makes the native backend available and puts it in force. @internal */
export function registerNative(backend: Backend): void {
  native = backend;
  active = backend;
  if (backend.busy !== undefined) useRegister(backend.busy);
}

/** The backend in force. @internal */
export function activeBackend(): Backend {
  active ??= bestWithoutAddon();
  return active;
}

/** `GRADSTEP_BACKEND` is heard here too, for those who load `gradstep/portable` alone. */
function bestWithoutAddon(): Backend {
  const forced = environment('GRADSTEP_BACKEND');
  if (forced === 'portable') return portable;
  try {
    return startWasm();
  } catch (error) {
    if (forced === 'wasm') throw error;
    const { message } = error as GradstepError;
    warn(
      'ERR_WASM_UNAVAILABLE',
      `${message}. Falling back to the portable backend, which is slower by far`,
    );
    return portable;
  }
}

function startWasm(): Backend {
  try {
    return wasmBackend();
  } catch (cause) {
    throw new GradstepError(
      'ERR_WASM_UNAVAILABLE',
      'The WebAssembly backend cannot run here, which needs WebAssembly with SIMD and, in a page ' +
        `with a Content-Security-Policy, 'wasm-unsafe-eval': ${(cause as Error).message}`,
      { cause },
    );
  }
}

/**
 * The backend that new optimizers use: `'native'`; where the addon is missing `'wasm'`, and
 * `'portable'` where that cannot run.
 */
export function backend(): BackendName {
  return activeBackend().name;
}

/**
 * Chooses the backend of optimizers made from now on. All give the same bits; this is for tests
 * and comparisons.
 * @throws {GradstepError} `ERR_BACKEND` for another name, `ERR_NATIVE_UNAVAILABLE` where the
 * addon is not loaded, `ERR_WASM_UNAVAILABLE` where WebAssembly cannot run.
 */
export function setBackend(name: BackendName): void {
  if (name === 'portable') active = portable;
  else if (name === 'wasm') active = startWasm();
  else if (name !== 'native') {
    throw new GradstepError(
      'ERR_BACKEND',
      `Expected a backend to be 'native', 'wasm' or 'portable' but received '${String(name)}'`,
    );
  } else if (native === undefined) {
    throw new GradstepError(
      'ERR_NATIVE_UNAVAILABLE',
      "The native backend is not loaded: import 'gradstep' (not 'gradstep/portable') and see its " +
        'warning if there was one',
    );
  } else {
    active = native;
  }
}

/**
 * The instruction set that steps: `'avx512'`, `'avx2'`, `'neon'`, `'scalar'`; `'wasm-relaxed-simd'`
 * or `'wasm-simd128'`; or `'portable'`.
 */
export function isa(): string {
  return activeBackend().isa();
}

/** The instruction sets that this processor or engine can run, best first. */
export function isas(): readonly string[] {
  return activeBackend().isas();
}

/**
 * Forces an instruction set for all steps of this process from now on; for tests, since all give
 * the same bits. `GRADSTEP_ISA` does the same from the start.
 * @throws {GradstepError} `ERR_ISA` when this processor cannot run it.
 */
export function setIsa(name: string): void {
  if (typeof name === 'string' && activeBackend().setIsa(name)) return;
  throw new GradstepError(
    'ERR_ISA',
    `Expected an instruction set that this machine can run (${isas().join(', ')}) ` +
      `but received '${String(name)}'`,
  );
}
