/** What an optimizer does to gradients inside its steps, and what it says of its last step. */

import type { BackendName, Core } from '../backend/backend.ts';
import { CLIP_SCOPES, ON_NON_FINITE, REPORT } from '../backend/step-options.ts';
import { type LiveOptions, OptionHolder, OptionView } from '../groups/param-group.ts';
import { flag, number, type Option, type Where } from '../options/option.ts';
import { Schema } from '../options/schema.ts';
import type { Status } from '../slots/status.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import type { Doubles } from '../support/typed-arrays.ts';

/** Of which gradients a norm is taken, and so clipped together. */
export type ClipScope = (typeof CLIP_SCOPES)[number];

/** What a step does when a gradient is infinite or NaN. */
export type OnNonFinite = (typeof ON_NON_FINITE)[number];

/**
 * Options of every optimizer beside those of its groups, given to the constructor and live in
 * `optimizer.stepOptions`. Gradients are read, not written: the bits are those of doing the same
 * to the arrays by hand before the step, in this order: scale, clamp, clip by norm.
 */
export interface StepOptions {
  /** Multiplies every gradient: 1 / world size, 1 / accumulated batches, 1 / loss scale. Default: 1. */
  readonly gradScale?: number;
  /** Clamps every gradient to [-clipValue, clipValue], >= 0. Default: Infinity, no clamp. */
  readonly clipValue?: number;
  /** Clips gradients so that their norm is at most this, >= 0; null: no clipping. Default: null. */
  readonly maxGradNorm?: number | null;
  /** p of the p-norm that `maxGradNorm` bounds. Default: 2. */
  readonly normType?: number;
  /** Whose norm is bounded: all gradients', each group's, each parameter's. Default: 'global'. */
  readonly clipScope?: ClipScope;
  /**
   * When a gradient is infinite or NaN, or the norm that `maxGradNorm` bounds: 'apply' steps all the same, as torch; 'skip' changes
   * nothing at all in that step; 'error' throws. Default: 'apply', which does not look.
   */
  readonly onNonFinite?: OnNonFinite;
  /** How many steps in a row may be skipped before the next one throws, >= 0. Default: 20. */
  readonly maxConsecutiveSkips?: number;
  /** Leaves zeros in every gradient, in the same pass over memory. Default: false. */
  readonly zeroGradInStep?: boolean;
  /**
   * Takes subnormal numbers for zeros inside steps: state of parameters that get no gradients any
   * more becomes subnormal, which makes Adam more than twice as slow. The bits are then not
   * PyTorch's where a number is below 1.2e-38. Native backend only. Default: false.
   */
  readonly flushDenormals?: boolean;
  /**
   * How many threads steps of this optimizer may use, 1 to 256, of those that `setNumThreads`
   * allows; null: all of them. The bits do not depend on it. Default: null.
   */
  readonly numThreads?: number | null;
}

/** What the last step did. */
export interface LastStep {
  /** Whether it updated anything: false if it was skipped. */
  readonly stepped: boolean;
  /** How many parameters it updated: those with a gradient that are not frozen. */
  readonly parameters: number;
  /** The norm of all gradients, scaled and clamped, before clipping; with `maxGradNorm` only. */
  readonly gradNorm: number | undefined;
  /** How many gradients were infinite or NaN; undefined if neither option made the step look. */
  readonly nonFinite: number | undefined;
  /** How many steps have been skipped so far. */
  readonly skipped: number;
  /** How many of those were the last ones, in a row. */
  readonly consecutiveSkips: number;
}

/** One of a few words, stored as its place among them. */
function choice<T extends string>(words: readonly T[]): Option<T> {
  return {
    initial: words[0]!,
    check(value, key, where) {
      if (words.includes(value as T)) return value as T;
      throw invalid(key, value, `one of ${words.map((word) => `'${word}'`).join(', ')}`, where);
    },
    read: (struct, at) => words[struct[at]!]!,
    write(struct, at, value) {
      struct[at] = words.indexOf(value);
    },
  };
}

/** A number that may be infinite. */
function bound(initial: number, min: number): Option<number> {
  return {
    ...number(initial, { label: '' }),
    check(value, key, where) {
      if (typeof value === 'number' && value >= min) return value;
      throw invalid(key, value, `a number${min === 0 ? ' >= 0' : ''}`, where);
    },
  };
}

/** A bound that may be off. */
const maxGradNorm: Option<number | null> = {
  initial: null,
  check: (value, key, where) => (value === null ? null : bound(0, 0).check(value, key, where)),
  read: (struct, at) => (struct[at]! < 0 ? null : struct[at]!),
  write(struct, at, value) {
    struct[at] = value ?? -1;
  },
};

/** At most so many threads, or as many as there are. */
const numThreads: Option<number | null> = {
  initial: null,
  check(value, key, where) {
    const isCount = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 256;
    if (value === null || isCount) return value as number | null;
    throw invalid(key, value, 'null or an integer from 1 to 256', where);
  },
  read: (struct, at) => struct[at]! || null,
  write(struct, at, value) {
    struct[at] = value ?? 0;
  },
};

function invalid(key: string, value: unknown, expected: string, where: Where): GradstepError {
  return new GradstepError(
    'ERR_INVALID_OPTION',
    `Invalid ${key} value: ${describe(value)}. Expected ${key} to be ${expected}${where}`,
  );
}

/** The options in the order of the struct that all backends read. */
function makeSchema(native: boolean): Schema<StepOptions> {
  return new Schema<StepOptions>({
    name: 'Step',
    rule: '',
    options: {
      gradScale: number(1, { label: 'gradScale value' }),
      clipValue: bound(Number.POSITIVE_INFINITY, 0),
      maxGradNorm,
      normType: bound(2, Number.NEGATIVE_INFINITY),
      clipScope: choice(CLIP_SCOPES),
      onNonFinite: choice(ON_NON_FINITE),
      maxConsecutiveSkips: number(20, { label: 'maxConsecutiveSkips value', min: 0 }),
      zeroGradInStep: flag(false),
      flushDenormals: flag(false),
      numThreads,
    },
    state: [],
    counted: false,
    conflict: {
      between: ['flushDenormals'],
      find: ({ flushDenormals }) =>
        flushDenormals && !native
          ? 'Invalid flushDenormals value: true. Only the native backend can flush denormals'
          : undefined,
    },
  });
}

const cannotFlush = makeSchema(false);
const schemas = { native: makeSchema(true), wasm: cannotFlush, portable: cannotFlush };

/** The options' names. */
export const STEP_KEYS: readonly string[] = schemas.native.keys;

/** The step options among those that a constructor was given. */
export function parseStepOptions(given: object, backend: BackendName): Required<StepOptions> {
  const mine = Object.entries(given).filter(([key]) => STEP_KEYS.includes(key));
  const schema = schemas[backend];
  return schema.parse(Object.fromEntries(mine), schema.initial(), '', []);
}

/** The step options of one optimizer, and the report of its core. */
export class StepSettings {
  /** Live: assigning to one changes the next step. */
  readonly options: LiveOptions<StepOptions>;
  readonly #report: Doubles;
  readonly #schema: Schema<StepOptions>;
  readonly #struct: Doubles;

  constructor(
    values: Required<StepOptions>,
    ground: {
      readonly backend: { readonly name: BackendName };
      readonly core: Core;
      readonly status: Status;
    },
    allocate: (length: number) => Doubles,
  ) {
    const schema = schemas[ground.backend.name];
    const struct = allocate(schema.fields.length);
    this.#report = allocate(Object.keys(REPORT).length);
    this.#schema = schema;
    this.#struct = struct;
    schema.write(struct, values);
    ground.core.setOptions(struct, this.#report);
    const owner = new OptionHolder<StepOptions>(schema, struct, ground.status, '');
    this.options = new OptionView(owner) as unknown as LiveOptions<StepOptions>;
  }

  /** Options as given, over torch's defaults. @throws {GradstepError} As the constructor. */
  parse(given: object, where: Where): Required<StepOptions> {
    return this.#schema.parse(given, this.#schema.initial(), where, []);
  }

  /** Takes what `parse` gave. */
  write(values: Required<StepOptions>): void {
    this.#schema.write(this.#struct, values);
  }

  /** How many steps were skipped, and how many of those in a row until now. */
  get skips(): readonly [skipped: number, consecutive: number] {
    return [this.#report[REPORT.skipped]!, this.#report[REPORT.consecutiveSkips]!];
  }

  set skips([skipped, consecutive]) {
    this.#report[REPORT.skipped] = skipped;
    this.#report[REPORT.consecutiveSkips] = consecutive;
  }

  /** Whether the last step moved anything. */
  get stepped(): boolean {
    return this.#report[REPORT.stepped] === 1;
  }

  /** Whether steps leave zeros in the gradients. */
  get zeroes(): boolean {
    return this.options.zeroGradInStep;
  }

  /** @param parameters How many parameters had a gradient in it. */
  lastStep(parameters: number): LastStep {
    const report = this.#report;
    const { stepped } = this;
    const asked = (at: number) => (Number.isNaN(report[at]!) ? undefined : report[at]!);
    return Object.freeze({
      stepped,
      parameters: stepped ? parameters : 0,
      gradNorm: asked(REPORT.gradNorm),
      nonFinite: asked(REPORT.nonFinite),
      skipped: report[REPORT.skipped]!,
      consecutiveSkips: report[REPORT.consecutiveSkips]!,
    });
  }
}
