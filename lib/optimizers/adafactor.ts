/** Adafactor: second moments of rows and columns instead of one for each value. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { flag, number, type Option, refuse } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { describe } from '../support/describe.ts';
import { weightDecay } from './common.ts';

/** Options of `Adafactor` and of its groups. */
export interface AdafactorOptions {
  /** The most that the relative rate is, >= 0; it falls as 1 / √step. Default: 1e-2. */
  readonly lr?: number;
  /** The power of the step by which new squares count, <= 0. Default: -0.8. */
  readonly beta2Decay?: number;
  /**
   * What second moments are at least the square of, null for the smallest step of float32 at 1; and
   * what the root mean square of a parameter is taken for at least. >= 0. Default: [null, 1e-3].
   */
  readonly eps?: readonly [number | null, number];
  /** What the root mean square of an update is at most, >= 1. Default: 1. */
  readonly d?: number;
  /** Decoupled decay, >= 0. Default: 0. */
  readonly weightDecay?: number;
  /**
   * Whether the rate is times the root mean square of the parameter. Hugging Face's
   * `scale_parameter`; in torch always. Default: true.
   */
  readonly scaleParameter?: boolean;
  /**
   * Whether the rate falls as 1 / √step once that is below `lr`; else it is `lr` as a schedule makes
   * it. Hugging Face's `relative_step`; in torch always. Default: true.
   */
  readonly relativeStep?: boolean;
  /** Rises as 1e-6 · step, in place of `lr`. Hugging Face's `warmup_init`. Default: false. */
  readonly warmupInit?: boolean;
  /**
   * Decay rate of an average of the updates, in [0, 1), which needs an array as long as the
   * parameter; 0 for none, as in torch. Hugging Face's `beta1`. Default: 0.
   */
  readonly beta1?: number;
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface AdafactorState {
  /** How often it has been stepped. */
  readonly step: number;
  /** Average of the mean squares of rows; of parameters with two dimensions and more. */
  readonly rowVar?: Float32Array<ArrayBufferLike>;
  /** That of columns. */
  readonly colVar?: Float32Array<ArrayBufferLike>;
  /** Average of squares; of parameters with one dimension, or without a shape. */
  readonly variance?: Float32Array<ArrayBufferLike>;
  /** Average of the updates; there once `beta1` was on. */
  readonly expAvg?: Float32Array<ArrayBufferLike>;
}

const LEAST: readonly string[] = ['epsilon1', 'epsilon2'];

/** Two floors, of which the first may be null: -1 in the struct. */
const eps: Option<readonly [number | null, number]> = {
  initial: Object.freeze([null, 1e-3] as const),
  fields: ['eps1', 'eps2'],
  check(value, key, where) {
    if (!Array.isArray(value) || value.length !== 2) {
      refuse(`${key} value`, describe(value), `${key} to be an array of two numbers`, where);
    }
    const given: unknown[] = [value[0], value[1]];
    const checked = given.map((item, i) => {
      const isNone = i === 0 && (item === null || item === undefined);
      return isNone ? null : floor(LEAST[i]!).check(item, `${key}[${i}]`, where);
    });
    return Object.freeze(checked) as unknown as readonly [number | null, number];
  },
  read(struct, at) {
    const first = struct[at]!;
    return Object.freeze([first < 0 ? null : first, struct[at + 1]!] as const);
  },
  write(struct, at, value) {
    struct[at] = value[0] ?? -1;
    struct[at + 1] = value[1];
  },
};

function floor(label: string): Option<number> {
  return number(0, { label: `${label}: ${label} should be >= 0`, min: 0 });
}

const schema = new Schema<AdafactorOptions>({
  name: 'Adafactor',
  rule: 'adafactor',
  options: {
    lr: number(1e-2, { label: 'learning rate: Learning rate should be >= 0', min: 0 }),
    beta2Decay: number(-0.8, { label: 'beta2_decay: beta2_decay should be <= 0', max: 0 }),
    eps,
    d: number(1, { label: 'd: Clipping threshold d should be >= 1', min: 1 }),
    weightDecay: weightDecay(0),
    scaleParameter: flag(true),
    relativeStep: flag(true),
    warmupInit: flag(false),
    beta1: number(0, { label: 'beta1 value', min: 0, below: 1 }),
    maximize: flag(false),
  },
  shaped: true,
  state: [
    { name: 'rowVar', shape: (shape) => (shape.length > 1 ? shape.with(-1, 1) : undefined) },
    { name: 'colVar', shape: (shape) => (shape.length > 1 ? shape.with(-2, 1) : undefined) },
    { name: 'variance', shape: (shape) => (shape.length > 1 ? undefined : shape) },
    { name: 'expAvg', when: 'beta1' },
  ],
  counted: true,
});

/**
 * Adafactor, as `torch.optim.Adafactor` (torch/optim/_adafactor.py); Shazeer and Stern, "Adafactor:
 * adaptive learning rates with sublinear memory cost" (2018), https://arxiv.org/abs/1804.04235.
 * A parameter with two dimensions and more is taken as matrices of its last two, so give it a
 * `shape`; one without is a vector.
 *
 *     g = maximize ? -grad : grad
 *     β = 1 - step^beta2Decay, ρ = min(lr, 1 / √step), α = max(eps[1], rms(param)) * ρ
 *     param = param * (1 - lr * weightDecay)
 *     rowVar = β * rowVar + (1 - β) * mean(g² of each row), colVar likewise
 *     v = rowVar ⊗ colVar / max(mean(rowVar), eps[0])     (a vector: v = β * v + (1 - β) * g²)
 *     u = g / √max(v, eps[0]²)
 *     param = param - α / max(1, rms(u) / d) * u
 *
 * Means and root mean squares are sums in double in one order, the same on every backend; torch's
 * are float32 sums in an order of the machine's, so that results agree with it to about 1e-6.
 *
 * ```ts
 * const optimizer = new Adafactor([new Parameter(weights, { shape: [512, 256] })], { lr: 1e-2 });
 * ```
 *
 * @throws {GradstepError} As `Adam`; `ERR_INVALID_PARAMETER` for a shape that is not the data's.
 */
export class Adafactor extends Optimizer<AdafactorOptions, AdafactorState> {
  constructor(
    params: ParamsOrGroups<AdafactorOptions>,
    options: AdafactorOptions & StepOptions = {},
  ) {
    super(schema, params, options);
  }
}
