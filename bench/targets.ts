/**
 * What gradstep must reach, row by row, and how far noise may carry a row below: this file is the
 * only place where these numbers are.
 */

import { LIMIT } from './figures.ts';
import { type Setting, SUBJECTS } from './results.ts';

/** How a figure is had from what was measured. */
export type Figure =
  /** How many times as fast as another subject; as fast as the limit is 1. */
  | { readonly kind: 'speed'; readonly subject: string; readonly than: string }
  /** How many times as long as another subject. */
  | { readonly kind: 'length'; readonly subject: string; readonly than: string }
  /** Microseconds beyond the limit. */
  | { readonly kind: 'excess'; readonly subject: string }
  /** Milliseconds. */
  | { readonly kind: 'time'; readonly subject: string };

export interface Target {
  readonly setting: Setting;
  readonly figure: Figure;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** The share of the target by which a figure may miss it and still be noise. */
  readonly margin: number;
}

/** Ratios of one round: what two runs of one binary differ by on a quiet machine. */
const CACHE = 0.03;
const MEMORY = 0.05;
/** Costs of a few hundred nanoseconds, and ratios across lists. */
const SMALL = 0.1;
/** Another process, or another program's own spread. */
const PEER = 0.1;

const { flat, arena, separate } = SUBJECTS;
const speed = (subject: string, than: string): Figure => ({ kind: 'speed', subject, than });
const length = (subject: string, than: string): Figure => ({ kind: 'length', subject, than });

const adamw = (work: string, threads = 1): Setting => ({ work, optimizer: 'AdamW', threads });
const sgd = (work: string, threads = 1): Setting => ({ work, optimizer: 'SGD', threads });
const bothOptimizers = (work: string, threads = 1) => [adamw(work, threads), sgd(work, threads)];

/** Rows for one and two threads. */
const bothThreads = (rows: (threads: number) => Target[]) => [1, 2].flatMap(rows);

function limits(): Target[] {
  const figure = speed(flat, LIMIT);
  const large = ['1e7', '1e8'].flatMap((work) =>
    bothThreads((threads) =>
      bothOptimizers(work, threads).map((setting) => {
        return { setting, figure: speed(flat, SUBJECTS.stream), atLeast: 0.95, margin: MEMORY };
      }),
    ),
  );
  const cached = [
    [adamw('1e4'), sgd('1e4')],
    ...['1e5', '1e6'].flatMap((work) => [1, 2].map((threads) => bothOptimizers(work, threads))),
  ].flatMap(([adam, momentum]): Target[] => [
    { setting: adam!, figure, atLeast: adam!.threads === 1 ? 0.95 : 0.92, margin: CACHE },
    { setting: momentum!, figure, atLeast: 0.9, margin: CACHE },
  ]);
  return [...cached, ...large];
}

function fixedCosts(): Target[] {
  const small = bothOptimizers('161 × 16').flatMap((setting): Target[] => [
    { setting, figure: { kind: 'excess', subject: separate }, atMost: 2, margin: SMALL },
    { setting, figure: { kind: 'excess', subject: arena }, atMost: 0.4, margin: SMALL },
  ]);
  const list = bothOptimizers('1,000 × 1,000').flatMap((setting): Target[] => [
    { setting, figure: length(arena, flat), atMost: 1.1, margin: CACHE },
    { setting, figure: length(separate, flat), atMost: 1.3, margin: CACHE },
  ]);
  const groups = adamw('10,000 groups');
  return [
    ...small,
    ...list,
    { setting: groups, figure: length(arena, flat), atMost: 3, margin: SMALL },
    { setting: groups, figure: length(separate, flat), atMost: 6, margin: SMALL },
    {
      setting: groups,
      figure: { kind: 'time', subject: `adding, ${arena}` },
      atMost: 150,
      margin: SMALL,
    },
    {
      setting: groups,
      figure: { kind: 'time', subject: `adding, ${separate}` },
      atMost: 150,
      margin: SMALL,
    },
  ];
}

function peers(): Target[] {
  const faster = (setting: Setting, subject: string, than: string, atLeast: number): Target => {
    return { setting, figure: speed(subject, than), atLeast, margin: PEER };
  };
  const beside = (setting: Setting, atLeast: number) =>
    faster(setting, SUBJECTS.besideTorch, 'torch fused', atLeast);
  const againstTorch = bothThreads((threads) => [
    beside(adamw('1e7', threads), 1),
    beside(adamw('1e8', threads), 1),
    beside(adamw('1e6', threads), 1.1),
    beside(adamw('1e5', threads), 2.2),
    beside(adamw('LeNet', threads), 4.5),
    beside(adamw('1,000 × 1,000', threads), 10),
    beside(sgd('1e7', threads), 1),
    beside(sgd('1e8', threads), 1),
    beside(sgd('1e5', threads), 2.2),
    beside(sgd('LeNet', threads), 5),
    beside(sgd('1,000 × 1,000', threads), 5),
  ]);
  return [
    ...againstTorch,
    faster(adamw('1e7'), flat, 'tfjs wasm', 9),
    faster(adamw('1e7'), flat, 'plain JavaScript', 9),
    faster(adamw('LeNet'), separate, 'tfjs wasm', 40),
    faster(adamw('LeNet'), separate, 'plain JavaScript', 15),
  ];
}

export const targets: readonly Target[] = [...limits(), ...fixedCosts(), ...peers()];

/** What must hold too and is not a time: the tests show it. */
export const untimed: readonly string[] = [
  '`stepAll([…])` over any number of optimizers is one native call',
  'a step allocates nothing',
];
