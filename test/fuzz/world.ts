/** Parameters, optimizers and averages on one backend, and random commands that change them. */

import {
  type AnyOptimizer,
  AveragedModel,
  type BackendName,
  clipGradNorm,
  combine,
  EMA,
  GradstepError,
  type Optimizer,
  Parameter,
  ParameterArena,
  type ParameterLike,
  SWA,
  setBackend,
  stepAll,
} from '../../lib/index.ts';
import type { Command } from './commands.ts';
import { digestOf } from './digest.ts';
import { CLASSES, halve, LENGTHS, OPTIONS, VALUES } from './kinds.ts';

type Floats = Float32Array<ArrayBufferLike>;
type Single = Optimizer<object, object>;
type Average = EMA | SWA | AveragedModel;

/** Buffers that grow, which TypeScript's library does not know yet. */
type Growing = ArrayBufferLike & {
  resizable?: boolean;
  growable?: boolean;
  maxByteLength: number;
  resize(bytes: number): void;
  grow(bytes: number): void;
};

export class World {
  readonly #backend: BackendName;
  readonly #collect: () => void;
  readonly #params: ParameterLike[] = [];
  readonly #optimizers: AnyOptimizer[] = [];
  readonly #averages: Average[] = [];
  #ticks = 0;

  constructor(backend: BackendName, collect: () => void) {
    this.#backend = backend;
    this.#collect = collect;
    setBackend(backend); // it begins with one of each
    this.#makeParameter(1, 3);
    this.#makeOptimizer(0, 0, [0]);
    this.#makeAverage(0, [0]);
  }

  #param(i: number): ParameterLike {
    return this.#params[i % this.#params.length]!;
  }

  #paramsOf(list: readonly number[]): ParameterLike[] {
    return [...new Set(list.map((i) => this.#param(i)))];
  }

  #optimizer(i: number): AnyOptimizer {
    return this.#optimizers[i % this.#optimizers.length]!;
  }

  #single(i: number): Single {
    const found = this.#optimizer(i);
    return ('optimizers' in found ? found.optimizers[0] : found) as Single;
  }

  #average(i: number): Average {
    return this.#averages[i % this.#averages.length]!;
  }

  /** The same values in both worlds. */
  #fill(array: Floats, salt: number): Floats {
    this.#ticks += 1;
    for (let i = 0; i < array.length; i++) array[i] = Math.sin(i * 7 + salt + this.#ticks);
    return array;
  }

  #makeArray(kind: number, length: number): Floats {
    const options = { maxByteLength: length * 8 + 64 };
    const Grows = ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer;
    const SharedGrows = SharedArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer;
    switch (kind % 6) {
      case 0:
      case 3:
        return new Float32Array(new SharedArrayBuffer(length * 4));
      case 1:
        return new Float32Array(new Grows(length * 4, options)); // grows with its buffer
      case 2:
        return new Float32Array(new SharedGrows(length * 4, options));
      default:
        return new Float32Array(length);
    }
  }

  #makeParameter(kind: number, which: number): void {
    const length = LENGTHS[which % LENGTHS.length]!;
    const data = this.#fill(this.#makeArray(kind, length), which);
    const grad = this.#fill(this.#makeArray(kind + which, length), which + 1);
    this.#params.push(
      kind % 2 === 0 ? { data, grad } : Object.assign(new Parameter(data), { grad }),
    );
  }

  #makeArena(): void {
    const arena = new ParameterArena([[3], [20], [16], [0]]);
    for (const [i, p] of arena.parameters.entries()) {
      this.#fill(p.data, i);
      this.#fill(p.ensureGrad(), i + 1);
      this.#params.push(p);
    }
  }

  #makeOptimizer(which: number, option: number, list: readonly number[]): void {
    const make = CLASSES[which % CLASSES.length]!;
    const options = OPTIONS[option % OPTIONS.length]!;
    this.#optimizers.push(new make(this.#paramsOf(list), options) as never);
  }

  #makeAverage(kind: number, list: readonly number[]): void {
    const params = this.#paramsOf(list);
    const pace = { updateEvery: 1 + (kind % 3), updateAfterStep: kind % 5 };
    const buffers = params.length > 2 ? params.splice(0, 1) : [];
    const warmupPower = kind % 4 === 0 ? 0.5 : 0;
    this.#averages.push(
      kind % 3 === 0
        ? new EMA(params, { decay: 0.75, warmupPower, buffers, ...(kind % 2 === 0 && pace) })
        : kind % 3 === 1
          ? new SWA(params, { buffers })
          : new AveragedModel(params, { avgFn: halve, ...pace }),
    );
  }

  #setGrad(param: number, kind: number, value: number): void {
    const p = this.#param(param);
    const length = kind % 7 === 0 ? 5 : p.data.length;
    if (kind % 5 === 0) {
      p.grad = null;
      return;
    }
    const grad = this.#fill(this.#makeArray(kind, length), value);
    if (kind % 4 === 0 && grad.length > 0) grad[0] = VALUES[value % VALUES.length]!;
    (p as { grad: Floats }).grad = grad;
  }

  #resize(param: number, field: number, by: number): void {
    const p = this.#param(param);
    const buffer = (field % 2 === 0 ? p.data : (p.grad ?? p.data)).buffer as Growing;
    const bytes = Math.min(buffer.maxByteLength, buffer.byteLength + (by % 9) * 4);
    if (buffer.growable) buffer.grow(bytes);
    else if (buffer.resizable) buffer.resize(by % 3 === 0 ? (by % 5) * 4 : bytes);
  }

  #transfer(param: number): void {
    const { buffer } = this.#param(param).data;
    if (buffer instanceof SharedArrayBuffer || (buffer as Growing).resizable) return;
    structuredClone(buffer, { transfer: [buffer] });
  }

  async #stepAsync(which: number, meanwhile: number): Promise<void> {
    const optimizer = this.#single(which);
    const step = optimizer.stepAsync();
    const refused =
      meanwhile % 3 > 0 &&
      codeOf(() => {
        if (meanwhile % 3 === 1) optimizer.step();
        else optimizer.zeroGrad({ setToNone: false });
      });
    await step;
    if (refused !== false && refused !== 'ERR_BUSY') throw new Error('it was not busy');
  }

  #setOption(which: number, key: number, value: number): void {
    const groups = this.#single(which).paramGroups;
    if (groups.length === 0) return;
    const name = ['lr', 'momentum', 'weightDecay', 'amsgrad', 'eps'][key % 5]!;
    if (!(name in groups[0]!)) return;
    const values = name === 'amsgrad' ? [true, false] : [0.1, 0, 0.5, -1, Number.NaN];
    Object.assign(groups[key % groups.length]!, { [name]: values[value % values.length] });
  }

  #setStepOption(which: number, key: number, value: number): void {
    const options = this.#single(which).stepOptions;
    const [name, values] = (
      [
        ['maxGradNorm', [null, 0.5, 0, -1]],
        ['onNonFinite', ['apply', 'skip', 'error', 'x']],
        ['zeroGradInStep', [true, false]],
        ['gradScale', [1, 0.5, 2]],
        ['clipValue', [0.25, Number.POSITIVE_INFINITY]],
      ] as const
    )[key % 5]!;
    Object.assign(options, { [name]: values[value % values.length] });
  }

  /** Does what a command says. */
  async run({ name, a, b, c, list }: Command): Promise<void> {
    setBackend(this.#backend);
    const commands: Record<string, () => unknown> = {
      makeParameter: () => this.#makeParameter(a, b),
      makeArena: () => this.#makeArena(),
      makeOptimizer: () => this.#makeOptimizer(a, b, list),
      makeAverage: () => this.#makeAverage(a, list),
      combine: () => {
        const parts = [...new Set([a, ...list].map((i) => this.#single(i)))];
        this.#optimizers.push(combine(parts));
      },
      addGroup: () => this.#single(a).addParamGroup({ params: this.#paramsOf(list) } as never),
      step: () => this.#optimizer(a).step(),
      stepClosure: () => {
        this.#optimizer(a).step(() => {
          if (b % 3 === 0) throw new GradstepError('ERR_UPDATE', 'thrown by a closure');
          this.#setGrad(b, 1, c);
          return 1;
        });
      },
      stepAll: () => stepAll(new Set([a, ...list].map((i) => this.#optimizer(i)))),
      stepAsync: () => this.#stepAsync(a, b),
      attach: () => this.#average(a).attach(this.#optimizer(b)),
      detach: () => this.#average(a).detach(),
      update: () => this.#average(a).update(),
      swap: () => this.#average(a).swap(),
      restore: () => this.#average(a).restore(),
      setAveraged: () => {
        this.#average(a).nAveraged = [0, 1, 7, -1, 2 ** 53 - 1][b % 5]!;
      },
      zeroGrad: () => this.#optimizer(a).zeroGrad({ setToNone: b % 2 === 0 }),
      setGrad: () => this.#setGrad(a, b, c),
      setData: () => {
        const p = this.#param(a);
        Object.assign(p, { data: this.#fill(this.#makeArray(b, p.data.length), c) });
      },
      transfer: () => this.#transfer(a),
      resize: () => this.#resize(a, b, c),
      setOption: () => this.#setOption(a, b, c),
      setStepOption: () => this.#setStepOption(a, b, c),
      freeze: () => Object.assign(this.#param(a), { frozen: b % 2 === 0 }),
      override: () =>
        this.#single(a).override(this.#param(b), [{ lr: 0.25 }, null, { lr: -1 }][c % 3] as never),
      removeParameters: () => this.#single(a).removeParameters(this.#paramsOf(list)),
      replaceParameter: () => {
        this.#single(a).replaceParameter(this.#param(b), this.#param(c), { state: 'reset' });
      },
      resetState: () => this.#single(a).resetState(this.#paramsOf(list)),
      reload: () => {
        const optimizer = this.#single(a);
        optimizer.loadStateDict(optimizer.stateDict());
      },
      clip: () => clipGradNorm(this.#paramsOf(list), 0.5),
      collect: () => this.#collect(),
      disposeOptimizer: () => this.#optimizer(a).dispose(),
      disposeAverage: () => this.#average(a).dispose(),
    };
    await commands[name]!();
  }

  /** Everything that can be seen. */
  digest(): string {
    return digestOf(this.#params, this.#optimizers, this.#averages);
  }
}

function codeOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as GradstepError).code;
  }
}
