/** Holds what was measured against the targets. */

import { excess, fastest, speed } from './figures.ts';
import type { Series } from './results.ts';
import { type Target, targets } from './targets.ts';

export type Verdict = 'reached' | 'within noise' | 'missed' | 'not measured';

export interface Checked {
  readonly target: Target;
  readonly verdict: Verdict;
  /** In the target's unit; undefined where it was not measured. */
  readonly value: number | undefined;
}

export function check(all: readonly Series[], rows: readonly Target[] = targets): Checked[] {
  return rows.map((target) => {
    const value = figureOf(all, target);
    return { target, value, verdict: judge(target, value) };
  });
}

/** Whether a row was missed, or none was measured at all. */
export function failed(checked: readonly Checked[]): boolean {
  return (
    checked.some(({ verdict }) => verdict === 'missed') ||
    checked.every(({ verdict }) => verdict === 'not measured')
  );
}

function figureOf(all: readonly Series[], { setting, figure }: Target): number | undefined {
  const scaled = (value: number | undefined, unit: number) => value && value / unit;
  switch (figure.kind) {
    case 'speed':
      return speed(all, setting, figure.subject, figure.than)?.ratio;
    case 'length': {
      const times = speed(all, setting, figure.subject, figure.than);
      return times && 1 / times.ratio;
    }
    case 'excess':
      return scaled(excess(all, setting, figure.subject), 1e3);
    case 'time':
      return scaled(fastest(all, setting, figure.subject), 1e6);
  }
}

function judge({ atLeast, atMost, margin }: Target, value: number | undefined): Verdict {
  if (value === undefined) return 'not measured';
  const within = (share: number) =>
    (atLeast === undefined || value >= atLeast * (1 - share)) &&
    (atMost === undefined || value <= atMost * (1 + share));
  if (within(0)) return 'reached';
  return within(margin) ? 'within noise' : 'missed';
}
