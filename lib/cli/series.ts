/** The values of a schedule, step by step, found by running it on an optimizer of one value. */

import {
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  getScheduler,
  LinearLR,
  type LRScheduler,
  MultiStepLR,
  OneCycleLR,
  PolynomialLR,
  SCHEDULER_NAMES,
  type SchedulableOptimizer,
  type SchedulerName,
  StepLR,
  SWALR,
} from '../lr-scheduler/index.ts';
import { SGD } from '../optimizers/sgd.ts';
import { Parameter } from '../parameters/parameter.ts';
import { nearest } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

/** A named curve over the steps 0, 1, 2, … */
export interface Series {
  readonly label: string;
  readonly values: readonly number[];
}

/** torch's classes that are told by plain values. */
const CLASSES = {
  StepLR,
  MultiStepLR,
  ConstantLR,
  LinearLR,
  ExponentialLR,
  PolynomialLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  OneCycleLR,
  SWALR,
};

/** Every name that `gradstep schedule` draws. */
export const NAMES: readonly string[] = [...SCHEDULER_NAMES, ...Object.keys(CLASSES)];

/** How a schedule is drawn. */
export interface SeriesOptions {
  /** Steps of the run. */
  readonly total: number;
  /** The lr of the optimizer. */
  readonly lr: number;
  /** Options of the schedule, as `getScheduler` or the class takes them. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The lr at step 0 and after each step, as `make` schedules it. */
export function record(
  lr: number,
  total: number,
  make: (optimizer: SGD) => { step(): void },
): number[] {
  const optimizer = new SGD([new Parameter([0])], { lr, momentum: 0.9 });
  try {
    const scheduler = make(optimizer);
    const values = [optimizer.paramGroups[0]!.lr];
    while (values.length < total) {
      optimizer.step(); // of nothing: it has no gradient
      scheduler.step();
      values.push(optimizer.paramGroups[0]!.lr);
    }
    return values;
  } finally {
    optimizer.dispose();
  }
}

/** @throws {GradstepError} `ERR_INVALID_ARGUMENT` for an unknown name. */
export function seriesOf(name: string, { total, lr, options }: SeriesOptions): Series {
  if (Object.hasOwn(CLASSES, name)) {
    const Kind = CLASSES[name as keyof typeof CLASSES] as new (
      optimizer: SchedulableOptimizer,
      options: object,
    ) => LRScheduler;
    const given = { ...defaultsOf(name, total, lr, options), ...options };
    if (typeof options.milestones === 'number') given.milestones = [options.milestones];
    return { label: name, values: record(lr, total, (optimizer) => new Kind(optimizer, given)) };
  }
  if (!NAMES.includes(name)) throw unknownName(name);
  const steps = name === 'constant' ? {} : { warmupSteps: 0, totalSteps: total };
  const given = { ...steps, ...options };
  const make = (optimizer: SGD) => getScheduler(name as SchedulerName, optimizer, given);
  return { label: name, values: record(lr, total, make) };
}

/** What these classes must be given, where the length and the lr of the run say it. */
function defaultsOf(
  name: string,
  total: number,
  lr: number,
  { epochs }: SeriesOptions['options'],
): Record<string, unknown> {
  if (name === 'OneCycleLR') {
    return { maxLr: lr, ...(epochs === undefined && { totalSteps: total }) };
  }
  if (name === 'CosineAnnealingLR') return { TMax: total };
  if (name === 'CyclicLR') return { baseLr: lr / 10, maxLr: lr, stepSizeUp: total / 4 };
  return {};
}

function unknownName(name: string): GradstepError {
  const guess = nearest(name, NAMES);
  return new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected the name of a schedule but received '${name}'` +
      `${guess ? `; did you mean ${guess}?` : '.'} Known are ${NAMES.join(', ')}`,
  );
}
