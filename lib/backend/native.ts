/** The native backend: the only file that touches the addon. */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { GradstepError } from '../errors.ts';
import type { Backend, Core } from './backend.ts';

type Floats = Float32Array<ArrayBufferLike>;
type WithHandle<F> = F extends (...args: infer A) => infer R
  ? (handle: object, ...args: A) => R
  : never;

/** The functions of `native/addon/addon.cc`: those of `Core`, with a handle, and a few more. */
export type Addon = { [K in keyof Core]: WithHandle<Core[K]> } & Omit<Backend, 'name' | 'open'> & {
    open(rule: string, fields: readonly string[]): object;
    debugFma(a: Floats, b: Floats, c: Floats, out: Floats): void;
    debugPower(base: number, exponent: number): number;
    debugSpans(handle: object): number;
    debugHyperparameters(handle: object, group: number): Record<string, number>;
  };

/**
 * Loads the addon: a prebuilt one or the local build.
 * @throws {GradstepError} `ERR_NATIVE_UNAVAILABLE`, with what was tried and how to mend it.
 */
export function loadAddon(): Addon {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  try {
    const load = createRequire(import.meta.url)('node-gyp-build') as (folder: string) => Addon;
    return load(root);
  } catch (cause) {
    const { platform, arch, version } = process;
    const [reason] = (cause as Error).message.split('\n');
    throw new GradstepError(
      'ERR_NATIVE_UNAVAILABLE',
      `No native addon for ${platform}-${arch} (Node.js ${version}) could be loaded from ${root}: ` +
        `${reason}. Compile one with 'npx gradstep build', which downloads nothing; that needs a ` +
        'C++17 compiler, make and Python 3',
      { cause },
    );
  }
}

export function nativeBackend(addon: Addon): Backend {
  return {
    name: 'native',
    isas: () => addon.isas(),
    isa: () => addon.isa(),
    setIsa: (name) => addon.setIsa(name),
    residue: (bytes) => addon.residue(bytes),
    open: (rule, fields) => new NativeCore(addon, rule, fields),
  };
}

class NativeCore implements Core {
  readonly #addon: Addon;
  readonly #handle: object;

  constructor(addon: Addon, rule: string, fields: readonly string[]) {
    this.#addon = addon;
    this.#handle = addon.open(rule, fields);
  }

  claimState(bytes: Uint8Array<ArrayBufferLike>): void {
    this.#addon.claimState(this.#handle, bytes);
  }

  addGroup(...args: Parameters<Core['addGroup']>): ReturnType<Core['addGroup']> {
    return this.#addon.addGroup(this.#handle, ...args);
  }

  ownLines(slot: number): void {
    this.#addon.ownLines(this.#handle, slot);
  }

  setState(slot: number, which: number, state: Floats): void {
    this.#addon.setState(this.#handle, slot, which, state);
  }

  setData(slot: number, data: Floats): void {
    this.#addon.setData(this.#handle, slot, data);
  }

  setGrad(slot: number, grad: Floats | null): void {
    this.#addon.setGrad(this.#handle, slot, grad);
  }

  step(): ReturnType<Core['step']> {
    return this.#addon.step(this.#handle);
  }

  dispose(): void {
    this.#addon.dispose(this.#handle);
  }
}
