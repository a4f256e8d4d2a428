/**
 * Warnings: of what is probably a mistake and yet allowed. Each is given once a process, through
 * Node.js where there is one, else on the console.
 */

/** A warning's place here is its flag's, in all threads: new ones come last. */
const CODES = ['ERR_NATIVE_UNAVAILABLE', 'WARN_SCHEDULER_ORDER'] as const;

/** Stable identifiers of the warnings; messages may be reworded, codes may not. */
export type WarningCode = (typeof CODES)[number];

/** Sets a flag, and says whether it was set for the first time. */
type Claim = (flag: number) => boolean;

const KEY = 'gradstep.warnings';

/**
 * Flags that a thread hands to the threads that it starts. (In a browser nothing is handed down:
 * there it is once a thread.)
 */
function inheritedFlags(): Claim {
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  let flags = threads?.getEnvironmentData(KEY) as unknown;
  if (!(flags instanceof Uint8Array)) {
    const memory = threads === undefined ? ArrayBuffer : SharedArrayBuffer;
    flags = new Uint8Array(new memory(32));
    threads?.setEnvironmentData(KEY, flags as never);
  }
  return (flag) => Atomics.exchange(flags as Uint8Array, flag, 1) === 0;
}

/** All of them have to agree that it is the first time. */
const claims: Claim[] = [inheritedFlags()];

/** Asks the addon too, which all threads of a process share, whoever started them. @internal */
export function shareWarnings(claim: Claim): void {
  claims.push(claim);
}

/** Warns, unless this warning was given before. */
export function warn(code: WarningCode, message: string): void {
  const flag = CODES.indexOf(code);
  if (!claims.every((claim) => claim(flag))) return;
  const { process, console } = globalThis;
  const type = 'GradstepWarning';
  if (typeof process?.emitWarning === 'function') process.emitWarning(message, { type, code });
  else console.warn(`[${code}] ${type}: ${message}`);
}
