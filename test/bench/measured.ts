/** Made-up measurements whose figures are known. */

import type { Measured, Series, Setting } from '../../bench/results.ts';
import { SUBJECTS } from '../../bench/results.ts';

export const adamw = (work: string, threads = 1): Setting => {
  return { work, optimizer: 'AdamW', threads };
};

/** A subject that took these times, in nanoseconds: by round, of one spell. */
export function series(
  setting: Setting,
  subject: string,
  values: number,
  times: Series['spells'][number],
  more: Partial<Series> = {},
): Series {
  return { ...setting, subject, values, tensors: 1, spells: [times], ...more };
}

const SIZES = [1e4, 1e5, 1e6];

const nameOf = (values: number) => values.toExponential().replace('+', '');

/** AdamW at three sizes: stream .2, divider .3, gradstep .32, plain JavaScript 6 ns a value. */
export const measured: Measured = {
  machine: {
    processor: 'A & B',
    isa: 'avx512',
    caches: 'L1d 32K',
    cores: 2,
    memory: '24 GiB',
    platform: 'linux-x64',
    node: 'v20.19.0',
  },
  date: '2026-01-02',
  mode: 'full',
  series: [
    ...SIZES.flatMap((values) =>
      (
        [
          [SUBJECTS.stream, 0.2],
          [SUBJECTS.divider, 0.3],
          [SUBJECTS.flat, 0.32],
          ['plain JavaScript', 6],
        ] as const
      ).map(([subject, time]) => {
        const times = [time * values, time * values, 1.1 * time * values];
        return series(adamw(nameOf(values)), subject, values, times);
      }),
    ),
    ...(
      [
        [SUBJECTS.stream, 200],
        [SUBJECTS.divider, 700],
        [SUBJECTS.flat, 800],
        [SUBJECTS.arena, 1000],
        [SUBJECTS.separate, 2400],
      ] as const
    ).map(([subject, time]) =>
      series(adamw('161 × 16'), subject, 2576, [time, time, time], { tensors: 161 }),
    ),
    series(adamw('10,000 groups'), `adding, ${SUBJECTS.arena}`, 1.96e6, [120e6]),
  ],
  omissions: [{ what: 'torch', why: 'no command' }],
};
