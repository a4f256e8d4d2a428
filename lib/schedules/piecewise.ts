/** Values at given steps. */

import { oneOf, optional, parseArguments, real, refuse } from './arguments.ts';
import { mix, remaining } from './ease.ts';
import { type ScheduleFunction, scheduleFunction } from './schedule-function.ts';

/** A step and the value there. */
export type Point = readonly [step: number, value: number];

/** Options of `piecewise`. */
export interface PiecewiseOptions {
  /** How it gets from one point to the next: a jump, a line or half a wave. Default: 'none'. */
  readonly interpolate?: 'none' | 'linear' | 'cosine';
}

const table = { interpolate: optional(oneOf(['none', 'linear', 'cosine'] as const), 'none') };

/**
 * The value of the last point that has been reached, or a way from it to the next. Before the
 * first point its value holds, after the last point the last value.
 *
 * ```ts
 * piecewise([[0, 0.1], [60, 0.01], [80, 0.001]])
 * ```
 *
 * @throws {GradstepError} `ERR_INVALID_OPTION` when steps do not increase; `ERR_UNKNOWN_OPTION`.
 */
export function piecewise(
  points: readonly Point[],
  options: PiecewiseOptions = {},
): ScheduleFunction {
  const { interpolate } = parseArguments<PiecewiseOptions>(table, options, 'piecewise()');
  const checked = checkPoints(points);
  return scheduleFunction('piecewise', [checked, { interpolate }], (step) => {
    const next = checked.findIndex(([at]) => at > step);
    if (next === 0) return checked[0]![1];
    if (next === -1) return checked.at(-1)![1];
    const [start, value] = checked[next - 1]!;
    if (interpolate === 'none') return value;
    const [end, target] = checked[next]!;
    const left = remaining(interpolate, (step - start) / (end - start));
    return mix(value, target, left);
  });
}

function checkPoints(points: unknown): readonly Point[] {
  if (!Array.isArray(points) || points.length === 0) {
    return refuse(points, 'the points of piecewise() as a list of [step, value] pairs');
  }
  const checked = points.map((point: unknown, i): Point => {
    const name = `point ${i} of piecewise()`;
    if (!Array.isArray(point) || point.length !== 2) {
      return refuse(point, `${name} to be a [step, value] pair`);
    }
    return [real({ min: 0 })(point[0], `the step of ${name}`), real()(point[1], `${name}`)];
  });
  checked.forEach(([step], i) => {
    if (i > 0 && step <= checked[i - 1]![0]) {
      refuse(step, `the step of point ${i} of piecewise() to be greater than the one before`);
    }
  });
  return checked;
}
