/** Runs that are saved in the middle and go on elsewhere. */

import { isas, Parameter, setBackend, setIsa } from '../../lib/index.ts';
import { MyLion } from '../optimizer/my-lion.ts';
import { type OptimizerCase, optimizerCases } from '../optimizers/optimizer-cases.ts';
import { fill, type Kind } from '../reference/inputs.ts';
import { bits } from '../support/helpers.ts';

export type AnyOptimizer = ReturnType<OptimizerCase['make']>;

/** All optimizers, a user's own too. */
export const ROWS: readonly Pick<OptimizerCase, 'name' | 'make' | 'other' | 'withState'>[] = [
  ...optimizerCases,
  {
    name: 'MyLion',
    make: (params, options) => new MyLion(params as [], options) as never,
    other: { lr: 0.5, betas: [0.4, 0.25], weightDecay: 0.1 },
    withState: {},
  },
];

/** Every place where steps can be made: other backends, and each instruction set. */
export const PLACES: readonly string[] = ['portable', 'wasm', ...isas()];

/** Makes steps there from now on; what is made there stays on that backend. */
export function goTo(place: string): void {
  if (place === 'portable' || place === 'wasm') {
    setBackend(place);
  } else {
    setBackend('native');
    setIsa(place);
  }
}

const LENGTHS = [19, 5, 1, 33];

/** Parameters in two groups, one with a name; the third begins late, the fourth overrides. */
export class Run {
  readonly params: readonly Parameter[];
  readonly optimizer: AnyOptimizer;
  readonly #kind: Kind;

  /** @param start Where the values come from; default: the beginning. */
  constructor(
    row: Pick<OptimizerCase, 'make'>,
    options: object,
    { kind = 'normal', start }: { kind?: Kind; start?: Run } = {},
  ) {
    this.#kind = kind;
    this.params = LENGTHS.map((length, i) => {
      const p = Parameter.zeros([length], { name: `p${i}` });
      if (start === undefined) fill(p.data as Float32Array, kind, 5, 0, i);
      else p.data.set(start.params[i]!.data);
      return p;
    });
    const [a, b, c, d] = this.params as [Parameter, Parameter, Parameter, Parameter];
    const groups = [
      { params: [a, b], name: 'first', meta: { epoch: 0 } },
      { params: [c, d], lr: 0.03125 },
    ];
    this.optimizer = row.make(groups, options);
  }

  /** What is set in mid-run, and so has to be in the state dict. */
  edit(): this {
    this.optimizer.override(this.params[3]!, { lr: 0.0625 });
    (this.optimizer.paramGroups[0] as { meta?: unknown }).meta = { epoch: 3 };
    return this;
  }

  /** Makes these steps; the third parameter takes part from the third on. */
  step(from: number, to: number): this {
    for (let step = from; step < to; step++) {
      for (const [i, p] of this.params.entries()) {
        if (i === 2 && step < 3) p.grad = null;
        else fill(p.ensureGrad() as Float32Array, this.#kind, 5, step, i);
      }
      this.optimizer.step();
    }
    return this;
  }

  /** The bits of everything. */
  snapshot(): unknown {
    return [this.params.map(({ data }) => bits(data)), bitsOf(this.optimizer.stateDict())];
  }
}

/** Plain data with every array as its bits, every NaN the same. */
export function bitsOf(value: unknown): unknown {
  if (value instanceof Float32Array) {
    return bits(value).map((word) => ((word & 0x7fffffff) > 0x7f800000 ? Number.NaN : word));
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(bitsOf);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, bitsOf(part)]));
}

/** What a state dict is to those who spoil it. */
export type Dict = Record<string, unknown>;

/** Calls `change` with the object that holds the last key of the path, and that key. */
export function replaceAt(
  dict: Dict,
  path: readonly string[],
  change: (holder: Dict, key: string) => void,
): void {
  const holder = path.slice(0, -1).reduce<Dict>((at, key) => at[key] as Dict, dict);
  change(holder, path.at(-1)!);
}
