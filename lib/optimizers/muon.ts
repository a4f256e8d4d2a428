/** Muon: momentum of matrices, made near orthogonal. */

import type { ParamsOrGroups } from '../groups/group-input.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { choice, flag, number, type Option, refuse, triple } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { StepOptions } from '../stepping/step-options.ts';
import { describe } from '../support/describe.ts';

/** How the rate depends on the sizes of a matrix. */
export type AdjustLrFn = 'original' | 'match_rms_adamw' | 'spectral_unclamped';

/** Options of `Muon` and of its groups. */
export interface MuonOptions {
  /** Learning rate, >= 0. Default: 1e-3. */
  readonly lr?: number;
  /** Decoupled decay, >= 0. Default: 0.1. */
  readonly weightDecay?: number;
  /** Decay rate of the average of gradients, in [0, 1]. Default: 0.95. */
  readonly momentum?: number;
  /** Look ahead by one step of the momentum. Default: true. */
  readonly nesterov?: boolean;
  /** The quintic polynomial a x + b x³ + c x⁵. Default: [3.4445, -4.775, 2.0315]. */
  readonly nsCoefficients?: readonly [a: number, b: number, c: number];
  /** What the norm of an update is at least, >= 0. Default: 1e-7. */
  readonly eps?: number;
  /** How often the polynomial is applied, a whole number below 100. Default: 5. */
  readonly nsSteps?: number;
  /**
   * What the rate is multiplied by: √max(1, rows / columns), 0.2 √max(rows, columns) so that
   * rates and decays of AdamW fit, or √(rows / columns). Default: 'original', which null means too.
   */
  readonly adjustLrFn?: AdjustLrFn | null;
  /** What is kept between products: torch's bfloat16, or all of float32. Default: 'bfloat16'. */
  readonly nsDtype?: 'bfloat16' | 'float32';
  /** Ascend instead of descend. Default: false. */
  readonly maximize?: boolean;
}

/** State of a parameter after its first step. */
export interface MuonState {
  /** Average of the gradients. */
  readonly momentumBuffer: Float32Array<ArrayBufferLike>;
}

const nsCoefficients = triple(
  [3.4445, -4.775, 2.0315],
  ['nsA', 'nsB', 'nsC'],
  () => ({ label: 'ns_coefficients' }),
  'an array: Coefficients must be a tuple of exactly 3 values',
);

const steps = number(5, {
  label: 'ns_steps: Number of steps must be less than 100',
  min: 0,
  below: 100,
});

/** A whole number of steps. */
const nsSteps: Option<number> = {
  ...steps,
  check(value, key, where) {
    const checked = steps.check(value, key, where);
    if (Number.isInteger(checked)) return checked;
    return refuse('ns_steps', describe(value), `${key} to be a whole number`, where);
  },
};

const words = choice<AdjustLrFn>(
  ['original', 'match_rms_adamw', 'spectral_unclamped'],
  'adjust_lr_fn: Adjust learning rate function is not supported',
);
const adjustLrFn: Option<AdjustLrFn | null> = {
  ...words,
  check: (value, key, where) => words.check(value === null ? 'original' : value, key, where),
  write: (struct, at, value) => words.write(struct, at, value ?? 'original'),
};

const schema = new Schema<MuonOptions>({
  name: 'Muon',
  rule: 'muon',
  options: {
    lr: number(1e-3, { label: 'learning rate: Learning rate should be >= 0', min: 0 }),
    weightDecay: number(0.1, { label: 'weight_decay value: weight decay should be >= 0', min: 0 }),
    momentum: number(0.95, { label: 'momentum: momentum should be >= 0', min: 0, max: 1 }),
    nesterov: flag(true),
    nsCoefficients,
    eps: number(1e-7, { label: 'epsilon value', min: 0 }),
    nsSteps,
    adjustLrFn,
    nsDtype: choice(['bfloat16', 'float32'], 'nsDtype'),
    maximize: flag(false),
  },
  shaped: true,
  refuseShape: (shape) =>
    shape.length === 2
      ? undefined
      : 'Muon only supports 2D parameters whereas we found a parameter with size: ' +
        `[${shape.join(', ')}]; give the others to AdamW, and both to combine()`,
  state: [{ name: 'momentumBuffer' }],
  counted: false,
});

/**
 * Muon, as `torch.optim.Muon` of PyTorch 2.9 and later (torch/optim/_muon.py); Jordan et al., "Muon:
 * an optimizer for hidden layers in neural networks" (2024), https://kellerjordan.github.io/posts/muon.
 * For matrices alone: biases, norms, embeddings and the last layer belong to `AdamW`, and both to
 * `combine`. Parameters need a `shape` of two dimensions.
 *
 *     buffer = momentum * buffer + (1 - momentum) * g
 *     x = nesterov ? momentum * buffer + (1 - momentum) * g : buffer, over its norm
 *     nsSteps times: A = x xᵀ, x = a x + (b A + c A²) x
 *     param = param * (1 - lr * weightDecay) - lr * adjust(rows, columns) * x
 *
 * Between products everything is rounded to bfloat16, as torch does; products sum in float32, in
 * one order here and in one of the machine's there.
 *
 * ```ts
 * const optimizer = combine([
 *   new Muon(matrices, { lr: 2e-3, adjustLrFn: 'match_rms_adamw' }),
 *   new AdamW(others, { lr: 2e-3 }),
 * ]);
 * ```
 *
 * @throws {GradstepError} As `Adam`; `ERR_INVALID_PARAMETER` for what has not two dimensions.
 */
export class Muon extends Optimizer<MuonOptions, MuonState> {
  constructor(params: ParamsOrGroups<MuonOptions>, options: MuonOptions & StepOptions = {}) {
    super(schema, params, options);
  }
}
