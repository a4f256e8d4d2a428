/**
 * Warnings: of what is probably a mistake and yet allowed. They come through Node.js where there
 * is one, else on the console.
 */

/** Those that are given once a process. The place is a flag's, in all threads: new ones come last. */
const CODES = [
  'ERR_NATIVE_UNAVAILABLE',
  'WARN_SCHEDULER_ORDER',
  'WARN_NO_GRADIENT',
  'ERR_WASM_UNAVAILABLE',
] as const;

/** Stable identifiers of the warnings; messages may be reworded, codes may not. */
export type WarningCode = (typeof CODES)[number] | 'WARN_CHECKPOINT';

/** Sets a flag, and says whether it was set for the first time. */
type Claim = (flag: number) => boolean;

const KEY = 'gradstep.warnings';

/** Where one thread leaves something for those that it starts. */
interface Threads {
  getEnvironmentData(key: string): unknown;
  setEnvironmentData(key: string, value: unknown): void;
}

/**
 * Flags that a thread hands to the threads that it starts. (In a browser nothing is handed down:
 * there it is once a thread.)
 */
function inheritedFlags(): Claim {
  let flags: Uint8Array = new Uint8Array(CODES.length);
  try {
    const threads: Threads = globalThis.process.getBuiltinModule('node:worker_threads');
    const known = threads.getEnvironmentData(KEY);
    flags = known instanceof Uint8Array ? known : new Uint8Array(new SharedArrayBuffer(32));
    threads.setEnvironmentData(KEY, flags);
  } catch {
    // No Node.js, or not one that has these.
  }
  return (flag) => Atomics.exchange(flags, flag, 1) === 0;
}

/** All of them have to agree that it is the first time. */
const claims: Claim[] = [/* @__PURE__ */ inheritedFlags()];

/** Asks the addon too, which all threads of a process share, whoever started them. @internal */
export function shareWarnings(claim: Claim): void {
  claims.push(claim);
}

/** Warns of a way to use the package, unless that was done before in this process. */
export function warn(code: (typeof CODES)[number], message: string): void {
  const flag = CODES.indexOf(code);
  if (claims.every((claim) => claim(flag))) warnAgain(code, message);
}

/** Warns of one thing among others, such as a file: every time. */
export function warnAgain(code: WarningCode, message: string): void {
  const { process, console } = globalThis;
  const type = 'GradstepWarning';
  if (typeof process?.emitWarning === 'function') process.emitWarning(message, { type, code });
  else console?.warn(`[${code}] ${type}: ${message}`);
}
