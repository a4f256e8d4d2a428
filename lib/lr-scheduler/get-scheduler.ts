/** Schedules by Hugging Face's names. */

import { isObject } from '../parameters/list-params.ts';
import {
  type ArgumentTable,
  integer,
  omissible,
  oneOf,
  optional,
  parseArguments,
  real,
} from '../schedules/arguments.ts';
import { cosine } from '../schedules/cosine.ts';
import { remaining, SHAPES, type Shape } from '../schedules/ease.ts';
import { inverseSqrt } from '../schedules/inverse-sqrt.ts';
import { linear } from '../schedules/linear.ts';
import { polynomial } from '../schedules/polynomial.ts';
import type { ScheduleFunction } from '../schedules/schedule-function.ts';
import { warmup } from '../schedules/warmup.ts';
import { warmupStableDecay } from '../schedules/warmup-stable-decay.ts';
import { describe, nearest } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { ownProperties } from '../support/own-properties.ts';
import { LambdaLR } from './lambda-lr.ts';
import type { LRSchedulerOptions } from './lr-scheduler.ts';
import { checkOptimizer, type SchedulableOptimizer } from './scheduled-groups.ts';

/** Options of `getScheduler`; which of them there are depends on the name. */
export interface GetSchedulerOptions {
  /** Steps of the rise from 0 (`num_warmup_steps`). For all but 'constant'. */
  readonly warmupSteps?: number | undefined;
  /** Steps of the whole run (`num_training_steps`). For those that have an end. */
  readonly totalSteps?: number | undefined;
  /** Waves: default 0.5 for 'cosine' and 'cosine_with_min_lr', 1 for 'cosine_with_restarts'. */
  readonly cycles?: number;
  /** The lr at the end of 'polynomial'. Default: 1e-7. */
  readonly lrEnd?: number;
  /** The exponent of 'polynomial'. Default: 1. */
  readonly power?: number;
  /** 'inverse_sqrt': default warmupSteps, or 10000 without a warm-up. */
  readonly timescale?: number | undefined;
  /** The least lr of 'cosine_with_min_lr', or as a part of the lr: one of the two. */
  readonly minLr?: number | undefined;
  readonly minLrRate?: number | undefined;
  /** Steps at the top of 'warmup_stable_decay'. Default: what the others leave of totalSteps. */
  readonly stableSteps?: number | undefined;
  /** Steps of the decay of 'warmup_stable_decay'. */
  readonly decaySteps?: number | undefined;
  /** The way up of 'warmup_stable_decay'. Default: 'linear'. */
  readonly warmupType?: Shape;
  /** The way down of 'warmup_stable_decay'. Default: 'cosine'. */
  readonly decayType?: Shape;
  /** Where 'warmup_stable_decay' starts and ends, as a part of the lr. Default: 0. */
  readonly minLrRatio?: number;
}

type Parsed = Required<GetSchedulerOptions>;

/** One name: what it takes beside the steps, what it needs, and its factor on the lr. */
interface Recipe {
  readonly needs: readonly ('warmupSteps' | 'totalSteps')[];
  readonly takes?: Partial<ArgumentTable<GetSchedulerOptions>>;
  /** @param span Steps after the warm-up. @param lr Gives the optimizer's default lr. */
  factor(options: Parsed, span: number, lr: () => number): ScheduleFunction;
}

const steps = {
  warmupSteps: omissible(integer(0)),
  totalSteps: omissible(integer(1)),
};

/** What HF calls these two. */
const torchNames = { warmupSteps: 'num_warmup_steps', totalSteps: 'num_training_steps' };

const RECIPES = {
  linear: {
    needs: ['warmupSteps', 'totalSteps'],
    factor: (o, span) => decay(o, linear({ steps: span }), 0),
  },
  cosine: {
    needs: ['warmupSteps', 'totalSteps'],
    takes: { cycles: optional(real({ above: 0 }), 0.5) },
    factor: (o, span) => warmup(o.warmupSteps!, cosine({ steps: span, cycles: o.cycles })),
  },
  cosine_with_restarts: {
    needs: ['warmupSteps', 'totalSteps'],
    takes: { cycles: optional(integer(1), 1) },
    factor: (o, span) => warmup(o.warmupSteps!, restarts(span, o.cycles)),
  },
  polynomial: {
    needs: ['warmupSteps', 'totalSteps'],
    takes: { lrEnd: optional(real({ min: 0 }), 1e-7), power: optional(real({ above: 0 }), 1) },
    factor(o, span, defaultLr) {
      const lr = defaultLr();
      if (!(lr > o.lrEnd)) {
        refuse(`lr_end (${o.lrEnd}) must be smaller than initial lr (${lr})`, 'lrEnd', o.lrEnd);
      }
      const to = o.lrEnd / lr;
      return decay(o, polynomial({ to, steps: span, power: o.power }), to);
    },
  },
  constant: { needs: [], factor: () => () => 1 },
  constant_with_warmup: {
    needs: ['warmupSteps'],
    factor: (o) => warmup(o.warmupSteps!, () => 1),
  },
  inverse_sqrt: {
    needs: ['warmupSteps'],
    takes: { timescale: omissible(real({ above: 0 })) },
    factor(o) {
      const timescale = o.timescale ?? (o.warmupSteps || 10_000);
      return warmup(o.warmupSteps!, inverseSqrt({ timescale }));
    },
  },
  cosine_with_min_lr: {
    needs: ['warmupSteps', 'totalSteps'],
    takes: {
      cycles: optional(real({ above: 0 }), 0.5),
      minLr: omissible(real({ min: 0 })),
      minLrRate: omissible(real({ min: 0, max: 1 })),
    },
    factor(o, span, lr) {
      if ((o.minLr === undefined) === (o.minLrRate === undefined)) {
        refuse('Only one of min_lr or min_lr_rate should be set', 'one of minLr and minLrRate', o);
      }
      const to = o.minLrRate ?? o.minLr! / lr();
      return warmup(o.warmupSteps!, cosine({ to, steps: span, cycles: o.cycles }));
    },
  },
  warmup_stable_decay: {
    needs: ['warmupSteps'],
    takes: {
      stableSteps: omissible(integer(0)),
      decaySteps: omissible(integer(1)),
      warmupType: optional(oneOf(SHAPES), 'linear'),
      decayType: optional(oneOf(SHAPES), 'cosine'),
      minLrRatio: optional(real({ min: 0, max: 1 }), 0),
    },
    factor: stableDecay,
  },
} as const satisfies Record<string, Recipe>;

/** A name that `getScheduler` knows. */
export type SchedulerName = keyof typeof RECIPES;

/** All names that `getScheduler` knows. */
export const SCHEDULER_NAMES = Object.keys(RECIPES) as readonly SchedulerName[];

/** A fall after the warm-up; where that takes the whole run, the end is there at once. */
function decay(o: Parsed, fall: ScheduleFunction, end: number): ScheduleFunction {
  const whole = warmup(o.warmupSteps!, fall);
  if (o.warmupSteps! < o.totalSteps!) return whole;
  return (step) => (step < o.warmupSteps! ? whole(step) : end);
}

/** Half a wave again and again, and 0 after the last. */
function restarts(span: number, cycles: number): ScheduleFunction {
  return (step) => (step >= span ? 0 : remaining('cosine', (cycles * (step / span)) % 1));
}

function stableDecay(o: Parsed): ScheduleFunction {
  const { warmupSteps, decaySteps, totalSteps, stableSteps, minLrRatio } = o;
  if (decaySteps === undefined) refuse('', 'decaySteps of warmup_stable_decay', decaySteps);
  if (stableSteps === undefined && totalSteps === undefined) {
    refuse(
      'Either num_training_steps or num_stable_steps must be specified.',
      'totalSteps or stableSteps',
      undefined,
    );
  }
  const stable = stableSteps ?? totalSteps! - warmupSteps! - decaySteps;
  return warmupStableDecay({
    from: minLrRatio,
    to: minLrRatio,
    warmupSteps: warmupSteps!,
    stableSteps: stable,
    decaySteps,
    warmupShape: o.warmupType,
    decayShape: o.decayType,
  });
}

function refuse(phrase: string, expected: string, value: unknown): never {
  throw new GradstepError(
    'ERR_INVALID_OPTION',
    `${phrase && `${phrase}. `}Expected ${expected} but received ${describe(value)}`,
  );
}

/**
 * A scheduler by the name that Hugging Face's `get_scheduler` knows it under: a factor on the base
 * lr of each group, as a `LambdaLR`. After the last step the factor stays as it is.
 *
 * ```ts
 * const scheduler = getScheduler('cosine', optimizer, { warmupSteps: 100, totalSteps: 1000 });
 * ```
 *
 * Formulas as in transformers/optimization.py.
 *
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for a name that is not known; as `LRScheduler`.
 */
export function getScheduler(
  name: SchedulerName,
  optimizer: SchedulableOptimizer,
  options: GetSchedulerOptions & LRSchedulerOptions = {},
): LambdaLR {
  const recipe: Recipe | undefined = Object.hasOwn(RECIPES, name) ? RECIPES[name] : undefined;
  if (recipe === undefined) throw unknownName(name);
  const { groups, lastEpoch, initialLr, ...own } = ownProperties(options);
  const table = { ...steps, ...recipe.takes } as ArgumentTable<GetSchedulerOptions>;
  const given = isObject(options) ? own : options;
  const parsed = parseArguments<GetSchedulerOptions>(table, given, `getScheduler('${name}')`);
  const missing = recipe.needs.find((need) => parsed[need] === undefined);
  if (missing) {
    refuse(
      `${name} requires \`${torchNames[missing]}\`, please provide that argument`,
      missing,
      undefined,
    );
  }
  const { defaults } = checkOptimizer(optimizer);
  const span = Math.max(1, (parsed.totalSteps ?? 0) - (parsed.warmupSteps ?? 0));
  const lrLambda = recipe.factor(parsed, span, () => lrOf(defaults));
  return new LambdaLR(optimizer, {
    lrLambda,
    ...(groups && { groups }),
    ...(lastEpoch !== undefined && { lastEpoch }),
    ...(initialLr !== undefined && { initialLr }),
  });
}

/** The default lr, which combined optimizers have when theirs are the same. */
function lrOf({ lr }: { lr?: unknown }): number {
  if (typeof lr === 'number') return lr;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected one default lr of the optimizer but received ${describe(lr)}: combined ones must ` +
      'have the same',
  );
}

function unknownName(name: unknown): GradstepError {
  const guess = typeof name === 'string' ? nearest(name, SCHEDULER_NAMES) : undefined;
  return new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected the name of a schedule, one of ${SCHEDULER_NAMES.join(', ')}, ` +
      `but received ${describe(name)}${guess ? `; did you mean '${guess}'?` : ''}`,
  );
}
