/** Figures from rounds, and what `--check` makes of them. */

import { describe, expect, it } from 'vitest';
import { check, failed } from '../../bench/check.ts';
import { excess, fastest, LIMIT, median, speed, typical } from '../../bench/figures.ts';
import { checkLines } from '../../bench/report/report.ts';
import { Results, SUBJECTS } from '../../bench/results.ts';
import { type Target, targets } from '../../bench/targets.ts';
import { adamw, measured, series } from './measured.ts';

const here = adamw('1e6');
const { flat, stream, divider, empty } = SUBJECTS;

const target = (bound: Partial<Target>): Target => ({
  setting: here,
  figure: { kind: 'speed', subject: flat, than: LIMIT },
  margin: 0.05,
  ...bound,
});

const verdictOf = (bound: Partial<Target>) => check(measured.series, [target(bound)])[0]!.verdict;

describe('figures', () => {
  it('are medians of ratios of one round', () => {
    const all = [series(here, stream, 1, [100, 300, 100]), series(here, flat, 1, [200, 400, 125])];
    expect(speed(all, here, flat, stream)).toEqual({ ratio: 0.75, median: 0.75, best: 0.8 });
  });

  it('leave out rounds in which one of the two sat out', () => {
    const all = [
      series(here, stream, 1, [100, 300, null]),
      series(here, flat, 1, [200, null, 100]),
    ];
    expect(speed(all, here, flat, stream)).toEqual({ ratio: 0.5, median: 0.5, best: 1 });
  });

  it('are of the best spell', () => {
    const spells = { spells: [[100], [100], [100]] };
    const all = [
      series(here, stream, 1, [], spells),
      series(here, flat, 1, [], { spells: [[200], [125], [400]] }),
    ];
    expect(speed(all, here, flat, stream)).toEqual({ ratio: 0.8, median: 0.8, best: 0.8 });
  });

  it('against competitors compare the best rounds of all spells', () => {
    const all = [
      series(here, flat, 1, [], { spells: [[100, 400], [200]] }),
      series(here, 'torch fused', 1, [], { spells: [[800, 900, 900], [300]] }),
    ];
    expect(speed(all, here, flat, 'torch fused')).toEqual({ ratio: 3, median: 3, best: 3 });
  });

  it('are held against the slower of stream and divider', () => {
    const all = [
      series(here, stream, 1, [60, 20, 20]),
      series(here, divider, 1, [30, 30, 30]),
      series(here, flat, 1, [40, 40, 40]),
    ];
    expect(speed(all, here, flat, LIMIT)?.median).toBe(0.75);
    expect(speed(all.slice(0, 1).concat(all[2]!), here, flat, LIMIT)?.median).toBe(0.5);
    expect(excess(all, here, flat)).toBe(10);
  });

  it('have the cost of a call taken off where it was measured, against limits only', () => {
    const all = [
      series(here, stream, 1, [90]),
      series(here, flat, 1, [120]),
      series(here, empty, 1, [20, 25]),
      series(here, 'plain JavaScript', 1, [240]),
    ];
    expect(speed(all, here, flat, stream)?.median).toBe(0.9);
    expect(speed(all, here, flat, 'plain JavaScript')?.median).toBe(2);
  });

  it('take the lower of median and best rounds', () => {
    const all = [series(here, stream, 1, [60, 110, 110]), series(here, flat, 1, [100, 100, 100])];
    expect(speed(all, here, flat, stream)).toEqual({ ratio: 0.6, median: 1.1, best: 0.6 });
  });

  it('leave out spells that beat what cannot be beaten', () => {
    const disturbed = [
      series(here, stream, 1, [], {
        spells: [
          [300, 300],
          [90, 90],
        ],
      }),
      series(here, flat, 1, [], {
        spells: [
          [100, 100],
          [100, 100],
        ],
      }),
    ];
    expect(speed(disturbed, here, flat, stream)?.ratio).toBe(0.9);
    expect(excess(disturbed, here, flat)).toBe(10);
    expect(speed(disturbed, here, stream, flat)?.ratio).toBeCloseTo(1 / 0.9);
    const always = disturbed.map((one) => ({ ...one, spells: one.spells.slice(0, 1) }));
    expect(speed(always, here, flat, stream)).toBeUndefined();
    expect(excess(always, here, flat)).toBeUndefined();
  });

  it('bear a subject that was missing in the first spell', () => {
    const results = new Results();
    const work = { name: '1e6', lengths: [1] };
    results.add(here, work, flat, 0, [100]);
    results.add(here, work, flat, 1, [100]);
    results.add(here, work, 'torch fused', 1, [300]);
    const written = JSON.parse(JSON.stringify(results.series));
    expect(speed(written, here, flat, 'torch fused')?.ratio).toBe(3);
  });

  it('are absent where nothing was measured', () => {
    expect(speed([], here, flat, LIMIT)).toBeUndefined();
    expect(excess([], here, flat)).toBeUndefined();
    expect(fastest([], here, flat)).toBeUndefined();
    expect(typical([], here, flat)).toBeUndefined();
    expect(median([])).toBeUndefined();
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

describe('a target', () => {
  it('is reached, missed by less than its margin, or missed', () => {
    // gradstep runs at .3 / .32 = 93.75 % of the limit
    expect(verdictOf({ atLeast: 0.93 })).toBe('reached');
    expect(verdictOf({ atLeast: 0.95 })).toBe('within noise');
    expect(verdictOf({ atLeast: 0.95, margin: 0.01 })).toBe('missed');
    const length = { kind: 'length', subject: flat, than: divider } as const;
    expect(verdictOf({ figure: length, atMost: 1.07 })).toBe('reached');
    expect(verdictOf({ figure: length, atMost: 1.05 })).toBe('within noise');
    expect(verdictOf({ figure: length, atMost: 1 })).toBe('missed');
  });

  it('in microseconds or milliseconds is one too', () => {
    const setting = adamw('161 × 16');
    const figure = { kind: 'excess', subject: SUBJECTS.separate } as const;
    expect(check(measured.series, [target({ setting, figure, atMost: 2 })])[0]).toMatchObject({
      verdict: 'reached',
      value: 1.7,
    });
    const adding = { kind: 'time', subject: `adding, ${SUBJECTS.arena}` } as const;
    const bound = { setting: adamw('10,000 groups'), figure: adding };
    expect(verdictOf({ ...bound, atMost: 150 })).toBe('reached');
    expect(verdictOf({ ...bound, atMost: 100 })).toBe('missed');
  });

  it('that was not measured is not passed', () => {
    expect(verdictOf({ setting: adamw('1e9'), atLeast: 0 })).toBe('not measured');
  });
});

describe('--check', () => {
  const judged = (...bounds: Partial<Target>[]) => check(measured.series, bounds.map(target));

  it('fails on a miss, and when there was nothing to hold against targets', () => {
    expect(failed(judged({ atLeast: 0.9 }, { atLeast: 0.95 }))).toBe(false);
    expect(failed(judged({ atLeast: 0.9 }, { atLeast: 1 }))).toBe(true);
    expect(failed(judged({ atLeast: 0.9 }, { setting: adamw('1e9'), atLeast: 1 }))).toBe(false);
    expect(failed(judged({ setting: adamw('1e9'), atLeast: 1 }))).toBe(true);
  });

  it('names what was missed and what was not measured, and counts', () => {
    const unknown = { setting: adamw('1e9', 2), atLeast: 1 };
    expect(
      checkLines(judged({ atLeast: 0.9 }, { atLeast: 0.95 }, { atLeast: 1 }, unknown)),
    ).toEqual([
      'missed: 1e6, AdamW, 1 thread: gradstep, flat: speed of limit ≥ 100 %, measured 94 %',
      'within noise: 1e6, AdamW, 1 thread: gradstep, flat: speed of limit ≥ 95 %, measured 94 %',
      'not measured: 1e9, AdamW, 2 threads: gradstep, flat: speed of limit ≥ 100 %',
      'targets: 1 reached, 1 within noise, 1 missed, 1 not measured',
    ]);
  });

  it('has every row once, each with one bound and a margin', () => {
    const rows = targets.map(({ setting, figure }) => JSON.stringify([setting, figure]));
    expect(new Set(rows).size).toBe(rows.length);
    for (const { atLeast, atMost, margin } of targets) {
      expect((atLeast === undefined) !== (atMost === undefined)).toBe(true);
      expect(margin).toBeGreaterThan(0);
      expect(margin).toBeLessThanOrEqual(0.1);
    }
  });
});
