/** What `gradstep` does when it is loaded: the best backend, and as many threads as there are cores. */

import { environment } from '../support/environment.ts';
import { GradstepError } from '../support/errors.ts';
import { shareWarnings, warn } from '../support/warn.ts';
import { activeBackend, BACKENDS, registerNative, setBackend, setIsa } from './active.ts';
import type { BackendName } from './backend.ts';
import { usableCores } from './cores.ts';
import { loadAddon } from './load-addon.ts';
import { nativeBackend } from './native.ts';
import { getNumThreads, setNumThreads } from './threads.ts';

/** `GRADSTEP_BACKEND` and `GRADSTEP_ISA` force what is used; without them the best that loads. */
export function chooseBackend(): void {
  const name = environment('GRADSTEP_BACKEND');
  const isa = environment('GRADSTEP_ISA');
  if (!['', ...BACKENDS].includes(name)) {
    throw new GradstepError(
      'ERR_BACKEND',
      `Expected GRADSTEP_BACKEND to be 'native', 'wasm' or 'portable' but received '${name}'`,
    );
  }
  if (name === '' || name === 'native') {
    try {
      const addon = loadAddon();
      registerNative(nativeBackend(addon));
      shareWarnings((flag) => addon.claimWarning(flag));
    } catch (error) {
      if (name === 'native') throw error;
      const { message } = error as GradstepError;
      warn(
        'ERR_NATIVE_UNAVAILABLE',
        `${message}. Falling back to the ${activeBackend().name} backend, which is slower`,
      );
    }
  } else {
    setBackend(name as BackendName);
  }
  if (isa !== '') setIsa(isa);
  chooseThreads();
}

/** Once for the process: 0 says that nobody has chosen yet. */
function chooseThreads(): void {
  const given = environment('GRADSTEP_NUM_THREADS');
  if (getNumThreads() !== 0) return;
  try {
    setNumThreads(given === '' ? usableCores() : Number(given));
  } catch (cause) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected GRADSTEP_NUM_THREADS to be a number from 1 to 256 but received '${given}'`,
      { cause },
    );
  }
}
