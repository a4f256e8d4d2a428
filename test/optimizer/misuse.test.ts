/**
 * Random sequences of calls, most of them wrong: each either works or throws a GradstepError,
 * nothing crashes, nothing is read or written outside the arrays, and both backends agree.
 */

import { describe, expect, it } from 'vitest';
import {
  Adam,
  AdamW,
  GradstepError,
  type Optimizer,
  ParameterArena,
  type ParameterLike,
  SGD,
  setBackend,
} from '../../lib/index.ts';
import { bits } from '../support/helpers.ts';

type Floats = Float32Array<ArrayBufferLike>;

/** Mulberry32: the same sequence for both backends. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const Resizable = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(bytes: number): void; resizable: boolean; maxByteLength: number };

/** The length, which optimized code of Node 20 may give as it was before the array was detached. */
const sizeOf = (array: Floats) => (array[0] === undefined ? 0 : array.length);

/** A world of arrays, parameters and optimizers, and the ways to disturb it. */
class World {
  readonly log: string[] = [];
  readonly #arrays: Floats[] = [];
  readonly #params: ParameterLike[] = [];
  readonly #optimizers: Optimizer<object, unknown>[] = [];

  constructor(private readonly next: (below: number) => number) {
    for (let i = 0; i < 6; i++) this.#makeArray();
    for (let i = 0; i < 3; i++) this.#makeParam();
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.next(list.length)]!;
  }

  #makeArray(): Floats {
    const length = this.#pick([0, 1, 3, 16, 33, 100]);
    const kind = this.next(4);
    let array: Floats = new Float32Array(length);
    if (kind === 1) array = new Float32Array(new SharedArrayBuffer(length * 4 + 12), 12, length);
    if (kind === 2) array = new Float32Array(new Resizable(length * 4, { maxByteLength: 4096 }));
    const whole = this.#arrays.filter((other) => other[0] !== undefined);
    if (kind === 3 && whole.length > 0) {
      const other = this.#pick(whole);
      array = other.subarray(this.next(other.length + 1), this.next(other.length + 1));
    }
    for (let i = 0; i < array.length; i++) array[i] = this.next(200) / 100 - 1;
    this.#arrays.push(array);
    return array;
  }

  #anything(): unknown {
    const floats = this.#pick(this.#arrays);
    return this.#pick([floats, floats, floats, null, undefined, 5, 'x', {}, new Float64Array(3)]);
  }

  /** An arena's parameters: its arrays join those that others may take for theirs. */
  #makeArena(): void {
    const arena = new ParameterArena([[3], [20], [16]]);
    for (const p of arena.parameters) {
      p.grad!.fill(0.5);
      this.#params.push(p);
      this.#arrays.push(p.data, p.grad!);
    }
  }

  #makeParam(): void {
    if (this.next(5) === 0) {
      this.#makeArena();
      return;
    }
    const data = this.#pick(this.#arrays);
    const same = this.#arrays.filter((a) => sizeOf(a) === sizeOf(data) && a !== data);
    const p: ParameterLike = { data, grad: same.length > 0 ? this.#pick(same) : null };
    if (this.next(4) === 0) {
      const inner = p.grad;
      Object.defineProperty(p, 'grad', {
        get: () => {
          if (this.next(3) === 0) this.act(); // disturb the world in mid-step
          return inner;
        },
        set: () => {},
      });
    }
    this.#params.push(p);
  }

  #disturbMemory(): void {
    const { buffer } = this.#pick(this.#arrays);
    if (buffer instanceof SharedArrayBuffer) return;
    const { resizable, maxByteLength } = buffer as InstanceType<typeof Resizable>;
    if (resizable) (buffer as InstanceType<typeof Resizable>).resize(this.next(maxByteLength + 1));
    else if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] });
  }

  #makeOptimizer(): void {
    const make = this.#pick([SGD, Adam, AdamW]) as typeof SGD;
    const params = Array.from({ length: this.next(4) }, () => this.#pick(this.#params));
    const options = this.#pick([{}, { lr: 0.5 }, { momentum: 0.9 }, { amsgrad: true }, { lr: -1 }]);
    this.#optimizers.push(new make(params, options as object) as never);
  }

  /** A generator that does something else on its way. */
  *#disturbing(): Generator<ParameterLike> {
    yield this.#pick(this.#params);
    this.act();
    yield this.#pick(this.#params);
  }

  /** Another parameter, or the same with other data, in the place of one, with a random index. */
  #replace(o: Optimizer<object, unknown>): void {
    const [old, next] = [this.#pick(this.#params), this.#pick(this.#params)];
    const lengthOf = ({ data }: ParameterLike) => (ArrayBuffer.isView(data) ? sizeOf(data) : 2);
    const from = Math.max(1, lengthOf(old));
    const index = Array.from({ length: lengthOf(next) }, () => this.next(from + 1) - 1);
    const options = this.#pick([{ index }, { state: 'reset' as const }, { index: [0] }]);
    o.replaceParameter(old, next, options);
  }

  #onOptimizer(): void {
    if (this.#optimizers.length === 0) return;
    const o = this.#pick(this.#optimizers);
    const group = o.paramGroups.length > 0 ? this.#pick(o.paramGroups) : {};
    const key = this.#pick(['lr', 'momentum', 'amsgrad', 'betas', 'nesterov', 'eps', 'name']);
    const value = this.#pick([0.1, 0, true, false, Number.NaN, [0.5, 0.5], 1e300, -1, 'x']);
    const actions: (() => unknown)[] = [
      () => o.step(),
      () => o.step(),
      () => o.step(),
      () => o.step(() => this.act()),
      () => o.zeroGrad(this.#pick([{}, { setToNone: false }, 5]) as object),
      () => o.addParamGroup({ params: this.#pick(this.#params) } as never),
      () => o.addParamGroup({ params: this.#anything() } as never),
      () => o.addParamGroup({ params: this.#params, paramNames: ['a', 'b'] } as never),
      () => o.addParamGroup({ params: this.#disturbing() } as never),
      () => Object.assign(group, { [key]: value }),
      () => Object.assign(this.#pick(this.#params), { frozen: this.#pick([true, false, 1]) }),
      () => Object.assign(group, { frozen: this.#pick([true, false, 'x']) }),
      () => o.override(this.#pick(this.#params), this.#pick([{ [key]: value }, null, {}]) as never),
      () => o.removeParameters(this.#pick(this.#params)),
      () => o.removeParameters(this.#disturbing()),
      () => o.replaceParameter(this.#pick(this.#params), this.#pick(this.#params)),
      () => this.#replace(o),
      () => o.resetState(this.#pick([undefined, this.#pick(this.#params)])),
      () => [...o.state.values()].map((state) => Object.values(state as object)),
      () => String(o) + JSON.stringify(o.paramGroups),
      () => (this.next(20) === 0 ? o.dispose() : undefined),
    ];
    this.#pick(actions)();
  }

  /** One random action; what it throws must be a GradstepError, or plain JavaScript's own. */
  act(): void {
    const action = this.next(12);
    try {
      if (action === 0) this.#makeArray();
      else if (action === 1) this.#makeParam();
      else if (action === 2 && this.next(4) === 0) this.#disturbMemory();
      else if (action === 3) this.#makeOptimizer();
      else if (action === 4) Object.assign(this.#pick(this.#params), { grad: this.#anything() });
      else if (action === 5) Object.assign(this.#pick(this.#params), { data: this.#anything() });
      else this.#onOptimizer();
      this.log.push('ok');
    } catch (error) {
      if (!(error instanceof GradstepError)) throw error;
      this.log.push(`${error.code} ${error.message}`);
    }
  }

  /** Every array's bits, and what each call said. */
  outcome(): unknown[] {
    return [...this.log, ...this.#arrays.map((a) => (a[0] === undefined ? [] : bits(a)))];
  }
}

describe.each(Array.from({ length: 40 }, (_, i) => i + 1))('random calls, seed %i', (seed) => {
  it('work or are refused, alike on all backends', () => {
    const outcomes = (['native', 'wasm', 'portable'] as const).map((name) => {
      setBackend(name);
      const world = new World(random(seed));
      for (let i = 0; i < 400; i++) world.act();
      return world.outcome();
    });
    setBackend('native');
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[2]).toEqual(outcomes[0]);
    expect(outcomes[0]!.filter((line) => line === 'ok').length).toBeGreaterThan(20);
  });
});
