/** The native backend: the only file that touches the addon. */

import { type ErrorCode, GradstepError } from '../support/errors.ts';
import type { Doubles, Floats } from '../support/typed-arrays.ts';
import type { ArrayPairs, Backend, Core, CoreSequence, SequenceFailure } from './backend.ts';
import type { BusyMemory } from './busy-memory.ts';

type WithHandle<F> = F extends (...args: infer A) => infer R
  ? (handle: object, ...args: A) => R
  : never;

/** How many slots with their arrays the addon takes at a time: `native/addon/arrays.cc`. */

/** The functions of `native/addon/`: those of `Core`, with a handle, and a few more. */
export type Addon = {
  [K in keyof Omit<Core, 'step' | 'setArrays'>]: WithHandle<Core[K]>;
} & Omit<Backend, 'name' | 'open' | 'sequence' | 'busy' | 'home'> &
  BusyMemory & {
    /** A function that steps the optimizer behind the handle. */
    stepOf(handle: object): Core['step'];
    /** The same as that of `Core`, as arguments. */
    setArrays(handle: object, isGrad: boolean, ...pairs: ArrayPairs): number | undefined;
    /** The same for a list, stepped as one, in the ways that `SEQUENCE` numbers. */
    sequenceOf(handles: readonly object[], follows: readonly number[]): (action: number) => unknown;
    open(rule: string, fields: readonly string[], record: readonly string[]): object;
    /** Whether a warning is given for the first time in this process. */
    claimWarning(flag: number): boolean;
    debugReduce(reduction: number, block: Floats, scale: number, bound: number): number;
    debugFma(a: Floats, b: Floats, c: Floats, out: Floats): void;
    debugPower(base: number, exponent: number): number;
    debugSpans(handle: object): number;
    debugHyperparameters(handle: object, group: number): Record<string, number>;
  };

/** What the function of a sequence does; in the order of `native/addon/sequence.cc`. */
const SEQUENCE = {
  step: 0,
  prepare: 1,
  run: 2,
  cancel: 3,
  background: 4,
  cancelBackground: 5,
} as const;

export function nativeBackend(addon: Addon): Backend {
  const backend: Backend = {
    name: 'native',
    busy: {
      isWatched: () => addon.isWatched(),
      findBusy: (...args) => guard(() => addon.findBusy(...args)),
      takeBusy: (...args) => guard(() => addon.takeBusy(...args)),
      releaseBusy: (hold) => addon.releaseBusy(hold),
    },
    isas: () => addon.isas(),
    isa: () => addon.isa(),
    setIsa: (name) => addon.setIsa(name),
    threads: () => addon.threads(),
    setThreads: (count) => addon.setThreads(count),
    sequence: (cores, follows) =>
      new NativeSequence(addon, cores as readonly NativeCore[], follows),
    longArray: addon.longArray,
    residue: (bytes) => addon.residue(bytes),
    adviseHugePages: (bytes) => addon.adviseHugePages(bytes),
    giveBack: (bytes) => addon.giveBack(bytes),
    gradNorm: (...args) => guard(() => addon.gradNorm(...args)),
    clipGrads: (...args) => guard(() => addon.clipGrads(...args)),
    clampGrads: (...args) => guard(() => addon.clampGrads(...args)),
    scaleGrads: (...args) => guard(() => addon.scaleGrads(...args)),
    countNonFinite: (grads) => guard(() => addon.countNonFinite(grads)),
    open: (...layout) => new NativeCore(addon, layout),
    home: () => backend,
  };
  return backend;
}

/** The addon's own errors are plain ones with a code; here they become the package's. */
function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translated(error);
  }
}

function translated(error: unknown): GradstepError {
  const { code, message } = error as Error & { code?: ErrorCode };
  return new GradstepError(code?.startsWith('ERR_') ? code : 'ERR_INTERNAL', message, {
    cause: error,
  });
}

class NativeCore implements Core {
  readonly #addon: Addon;
  readonly #handle: object;
  readonly #step: Core['step'];

  constructor(addon: Addon, layout: Parameters<Backend['open']>) {
    this.#addon = addon;
    this.#handle = guard(() => addon.open(...layout));
    this.#step = guard(() => addon.stepOf(this.#handle));
  }

  /** What the addon knows it by. */
  get handle(): object {
    return this.#handle;
  }

  claimState(bytes: Uint8Array<ArrayBufferLike>): void {
    guard(() => this.#addon.claimState(this.#handle, bytes));
  }

  releaseState(bytes: Uint8Array<ArrayBufferLike>): void {
    guard(() => this.#addon.releaseState(this.#handle, bytes));
  }

  addGroup(...args: Parameters<Core['addGroup']>): ReturnType<Core['addGroup']> {
    return guard(() => this.#addon.addGroup(this.#handle, ...args));
  }

  findOverlap(data: readonly Floats[]): ReturnType<Core['findOverlap']> {
    return guard(() => this.#addon.findOverlap(this.#handle, data));
  }

  releaseData(slot: number): void {
    guard(() => this.#addon.releaseData(this.#handle, slot));
  }

  ownLines(first: number, end: number): void {
    guard(() => this.#addon.ownLines(this.#handle, first, end));
  }

  setPieces(slot: number, pieces: Doubles): void {
    guard(() => this.#addon.setPieces(this.#handle, slot, pieces));
  }

  setShape(slot: number, rows: number, columns: number): void {
    guard(() => this.#addon.setShape(this.#handle, slot, rows, columns));
  }

  setSlot(slot: number, hyperparameters: Doubles, record: Doubles): void {
    guard(() => this.#addon.setSlot(this.#handle, slot, hyperparameters, record));
  }

  setStates(...args: Parameters<Core['setStates']>): undefined {
    guard(() => this.#addon.setStates(this.#handle, ...args));
  }

  setArrays(field: 'data' | 'grad', pairs: ArrayPairs): number | undefined {
    return guard(() => this.#addon.setArrays(this.#handle, field === 'grad', ...pairs));
  }

  setGrad(slot: number, grad: Floats | null, ownsLine = false): void {
    guard(() => this.#addon.setGrad(this.#handle, slot, grad, ownsLine));
  }

  setOptions(options: Doubles, report: Doubles): void {
    guard(() => this.#addon.setOptions(this.#handle, options, report));
  }

  verifyMemory(writing: boolean): ReturnType<Core['verifyMemory']> {
    return guard(() => this.#addon.verifyMemory(this.#handle, writing));
  }

  step(): ReturnType<Core['step']> {
    try {
      return this.#step();
    } catch (error) {
      throw translated(error);
    }
  }

  insertSlots(...args: Parameters<Core['insertSlots']>): ReturnType<Core['insertSlots']> {
    return guard(() => this.#addon.insertSlots(this.#handle, ...args));
  }

  removeSlots(slots: Doubles): void {
    guard(() => this.#addon.removeSlots(this.#handle, slots));
  }

  replaceSlot(slot: number, data: Floats): ReturnType<Core['replaceSlot']> {
    return guard(() => this.#addon.replaceSlot(this.#handle, slot, data));
  }

  dispose(): void {
    guard(() => this.#addon.dispose(this.#handle));
  }
}

class NativeSequence implements CoreSequence {
  readonly #addon: Addon;
  readonly #cores: readonly NativeCore[];
  readonly #follows: readonly number[];
  #act: ((action: number) => unknown) | undefined;

  constructor(addon: Addon, cores: readonly NativeCore[], follows: readonly number[]) {
    this.#addon = addon;
    this.#cores = cores;
    this.#follows = follows;
  }

  /** Made when it is first needed, by index: an iterator may be a user's. */
  #action(): (action: number) => unknown {
    if (this.#act === undefined) {
      const cores = this.#cores;
      const handles: object[] = [];
      for (let i = 0; i < cores.length; i++) handles[i] = cores[i]!.handle;
      this.#act = this.#addon.sequenceOf(handles, this.#follows);
    }
    return this.#act;
  }

  step(): SequenceFailure | undefined {
    try {
      return this.#action()(SEQUENCE.step) as SequenceFailure | undefined;
    } catch (error) {
      throw translated(error);
    }
  }

  prepare(): SequenceFailure | undefined {
    return guard(() => this.#action()(SEQUENCE.prepare) as SequenceFailure | undefined);
  }

  run(): void {
    guard(() => this.#action()(SEQUENCE.run));
  }

  cancel(): void {
    guard(() => this.#action()(SEQUENCE.cancel));
  }

  async stepInBackground(): Promise<SequenceFailure | undefined | false> {
    type Outcome = SequenceFailure | undefined | false;
    return guard(() => this.#action()(SEQUENCE.background) as Promise<Outcome> | Outcome);
  }

  cancelBackground(): void {
    guard(() => this.#action()(SEQUENCE.cancelBackground));
  }
}
