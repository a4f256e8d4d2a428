/** The one-cycle policy: up to a high value, and down to a very low one. */

import { cos } from '../support/cosine.ts';
import { flag, integer, oneOf, optional, parseArguments, real, required } from './arguments.ts';
import { between } from './ease.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/** Options of `oneCycle`; names and defaults as in `OneCycleLR`. */
export interface OneCycleOptions {
  /** The largest value. Default: 1. */
  readonly max?: number;
  /** Steps of the whole cycle; the last value comes at step `totalSteps - 1`. */
  readonly totalSteps: number;
  /** The part of the cycle that goes up, in [0, 1]. Default: 0.3. */
  readonly pctStart?: number;
  /** It starts at `max / divFactor`. Default: 25. */
  readonly divFactor?: number;
  /** It ends at its start divided by `finalDivFactor`. Default: 1e4. */
  readonly finalDivFactor?: number;
  /** The shape of each phase. Default: 'cos'. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** Go down to the start first, then to the end. Default: false. */
  readonly threePhase?: boolean;
}

const table = {
  max: optional(real(), 1),
  totalSteps: required(integer(1)),
  pctStart: optional(real({ min: 0, max: 1 }), 0.3),
  divFactor: optional(real({ above: 0 }), 25),
  finalDivFactor: optional(real({ above: 0 }), 1e4),
  annealStrategy: optional(oneOf(['cos', 'linear'] as const), 'cos'),
  threePhase: optional(flag, false),
};

/**
 * The formula of `OneCycleLR`, which holds its last value after the end; Smith and Topin,
 * "Super-convergence" (2018), https://arxiv.org/abs/1708.07120.
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION`, `ERR_UNKNOWN_OPTION`.
 */
export function oneCycle(options: OneCycleOptions): ScheduleFunction {
  const o = parseArguments<OneCycleOptions>(table, options, 'oneCycle()');
  const start = o.max / o.divFactor;
  const corners = { start, peak: o.max, end: start / o.finalDivFactor };
  return scheduleFunction('oneCycle', [o], (step) => {
    const at = phaseAt(Math.min(step, o.totalSteps - 1), o);
    const [from, to] = [corners[at.from], corners[at.to]];
    return between(from, to, anneal(o.annealStrategy, from, to, at.progress));
  });
}

/** Where a phase starts and ends. @internal */
export type Corner = 'start' | 'peak' | 'end';

/** Where in the cycle a step lies. @internal */
export interface PhasePoint {
  readonly from: Corner;
  readonly to: Corner;
  /** Of this phase; over 1 past the last step. */
  readonly progress: number;
}

/** The phase of a step: torch counts steps from 0, so phases end one step early. @internal */
export function phaseAt(
  step: number,
  { totalSteps, pctStart, threePhase }: Pick<Required<OneCycleOptions>, PhaseKey>,
): PhasePoint {
  const last = totalSteps - 1;
  const up = pctStart * totalSteps - 1;
  const phase = (from: Corner, to: Corner, begin: number, end: number): PhasePoint => ({
    from,
    to,
    progress: end === begin ? 1 : (step - begin) / (end - begin), // a phase of no length is over
  });
  if (step <= up) return phase('start', 'peak', 0, up);
  if (!threePhase) return phase('peak', 'end', up, last);
  const down = 2 * pctStart * totalSteps - 2;
  if (step <= down) return phase('peak', 'start', up, down);
  return phase('start', 'end', down, last);
}

type PhaseKey = 'totalSteps' | 'pctStart' | 'threePhase';

/** Between two values by half a wave or a line. @internal */
export function anneal(
  strategy: 'cos' | 'linear',
  from: number,
  to: number,
  progress: number,
): number {
  if (strategy === 'linear') return (to - from) * progress + from;
  return to + ((from - to) / 2) * (cos(Math.PI * progress) + 1);
}
