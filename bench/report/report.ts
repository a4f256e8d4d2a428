/** What is printed, and what docs/benchmark.md holds. */

import { type Checked, check, type Verdict } from '../check.ts';
import type { Measured } from '../results.ts';
import { type Figure, type Target, untimed } from '../targets.ts';
import { digits, percent } from './numbers.ts';
import { type Table, toMarkdown, toText } from './table.ts';
import { costTable, flatTable, listTable, peerTable, titleOf } from './tables.ts';

function tablesOf({ series }: Measured): Table[] {
  const tables = [flatTable(series), listTable(series), peerTable(series), costTable(series)];
  return tables.filter(({ rows }) => rows.length > 0);
}

function machineLine({ machine, date, mode }: Measured): string {
  const { processor, isa, caches, cores, memory, platform, node } = machine;
  const parts = [processor, isa, `${cores} cores`, caches, memory, platform, `Node.js ${node}`];
  return [...parts, date, `${mode} run`].filter(Boolean).join(' · ');
}

const omissionLines = ({ omissions }: Measured) =>
  omissions.map(({ what, why }) => `not measured: ${what}: ${why}`);

export function textReport(measured: Measured): string {
  const tables = tablesOf(measured).map(toText);
  return [machineLine(measured), ...tables, omissionLines(measured).join('\n')]
    .filter(Boolean)
    .join('\n\n');
}

export function markdownReport(measured: Measured): string {
  const checked = check(measured.series);
  const omitted = omissionLines(measured).map((line) => `- ${line}`);
  return [
    '# Benchmark',
    `\`npm run bench -- --write-docs\` made this page and the picture. ${machineLine(measured)}.`,
    'Every figure is a ratio to limits that were measured in the same process, in turn with what ' +
      'they bound, round by round: *stream* reads and writes the bytes of a step in place, over ' +
      'the same arrays, and computes nothing; *divider* does an exact root and an exact division ' +
      'for each value. A ratio to them is the lower of two, the median over rounds and that of ' +
      'the best rounds, in the best of several passes; times and ratios to others are of the ' +
      'best rounds of all passes.',
    '![Nanoseconds per value against the number of values](benchmark.svg)',
    "torch's lines are of other moments than gradstep's, and the memory of a shared machine is " +
      'faster in one than in the next; the table “Against others” has both in turn.',
    ...tablesOf(measured).map(toMarkdown),
    toMarkdown(targetTable(checked)),
    ...(omitted.length > 0 ? [omitted.join('\n')] : []),
    '',
  ].join('\n\n');
}

function targetTable(checked: readonly Checked[]): Table {
  return {
    title: 'Targets',
    note: `Not times, and shown by tests: ${untimed.join('; ')}.`,
    head: ['work', 'figure', 'target', 'measured', ''],
    rows: checked.map(({ target, value, verdict }) => [
      `${target.setting.work}, ${titleOf(target.setting)}`,
      told(target.figure),
      bound(target),
      written(target.figure, value),
      verdict,
    ]),
  };
}

/** What `--check` prints: what was missed, what was not measured, and how many of each. */
export function checkLines(checked: readonly Checked[]): string[] {
  const count = (verdict: Verdict) => checked.filter((one) => one.verdict === verdict).length;
  const lines = (['missed', 'within noise', 'not measured'] as const).flatMap((verdict) =>
    checked.filter((one) => one.verdict === verdict).map((one) => `${verdict}: ${line(one)}`),
  );
  const verdicts = ['reached', 'within noise', 'missed', 'not measured'] as const;
  const sums = verdicts.map((verdict) => `${count(verdict)} ${verdict}`);
  return [...lines, `targets: ${sums.join(', ')}`];
}

function line({ target, value }: Checked): string {
  const { setting, figure } = target;
  const got = value === undefined ? '' : `, measured ${written(figure, value)}`;
  return `${setting.work}, ${titleOf(setting)}: ${told(figure)} ${bound(target)}${got}`;
}

function told(figure: Figure): string {
  switch (figure.kind) {
    case 'speed':
      return `${figure.subject}: speed of ${figure.than}`;
    case 'length':
      return `${figure.subject}: time of ${figure.than}`;
    case 'excess':
      return `${figure.subject}: beyond the arithmetic`;
    case 'time':
      return figure.subject;
  }
}

function bound({ atLeast, atMost, figure }: Target): string {
  return atLeast === undefined ? `≤ ${written(figure, atMost)}` : `≥ ${written(figure, atLeast)}`;
}

function written(figure: Figure, value: number | undefined): string {
  if (value === undefined) return '–';
  if (figure.kind === 'excess') return digits(value, ' µs');
  if (figure.kind === 'time') return digits(value, ' ms');
  return isShare(figure) ? percent(value) : digits(value, ' ×');
}

const isShare = (figure: Figure) =>
  figure.kind === 'speed' && ['limit', 'stream'].includes(figure.than);
