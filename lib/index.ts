/** `gradstep`: everything of `gradstep/portable`, stepped by the native addon where it loads. */

import { registerBackend, setIsa } from './backend/active.ts';
import { usableCores } from './backend/cores.ts';
import { loadAddon, nativeBackend } from './backend/native.ts';
import { getNumThreads, setNumThreads } from './backend/threads.ts';
import { GradstepError } from './support/errors.ts';
import { shareWarnings, warn } from './support/warn.ts';

export * from './checkpoint/index.ts';
export * from './portable.ts';

/** `GRADSTEP_BACKEND` and `GRADSTEP_ISA` force what is used; without them the best that loads. */
function chooseBackend(): void {
  const { GRADSTEP_BACKEND: name = '', GRADSTEP_ISA: isa = '' } = process.env;
  if (!['', 'native', 'portable'].includes(name)) {
    throw new GradstepError(
      'ERR_BACKEND',
      `Expected GRADSTEP_BACKEND to be 'native' or 'portable' but received '${name}'`,
    );
  }
  if (name !== 'portable') {
    try {
      const addon = loadAddon();
      registerBackend(nativeBackend(addon));
      shareWarnings((flag) => addon.claimWarning(flag));
    } catch (error) {
      if (name === 'native') throw error;
      const { message } = error as GradstepError;
      warn(
        'ERR_NATIVE_UNAVAILABLE',
        `${message}. Falling back to the portable backend, which is slower`,
      );
    }
  }
  if (isa !== '') setIsa(isa);
  chooseThreads();
}

/** Once for the process: 0 says that nobody has chosen yet. */
function chooseThreads(): void {
  const { GRADSTEP_NUM_THREADS: given = '' } = process.env;
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

chooseBackend();
