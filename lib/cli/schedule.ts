/** `gradstep schedule`: draws schedules in the terminal and into an SVG. */

import { writeFileSync } from 'node:fs';
import { GradstepError } from '../support/errors.ts';
import type { Terminal } from './main.ts';
import { short } from './scale.ts';
import { NAMES, type Series, seriesOf } from './series.ts';
import { svgPlot } from './svg-plot.ts';
import { terminalPlot, tint } from './terminal-plot.ts';

export const USAGE = `Usage: gradstep schedule NAME [NAME ...] [options]

Draws the lr of one or more schedules in the terminal, and into an SVG where that is asked for.

  --total N        steps of the run (default: 1000)
  --warmup N       steps of the warm-up, for Hugging Face's names (default: 0)
  --lr X           the optimizer's lr (default: 1)
  --svg [FILE]     writes an SVG too (default: schedule-NAME.svg)
  --json           the values as JSON, and no plot
  --width N        characters across (default: the terminal's width, 80 at most)
  --height N       lines (default: 16)
  --OPTION VALUE   any other option of the schedule, such as --gamma 0.5, --min-lr-rate 0.1,
                   --milestones 30,60,80 or --three-phase

Names: ${NAMES.join(', ')}

Examples:
  gradstep schedule cosine --warmup 100 --total 1000 --lr 3e-4
  gradstep schedule OneCycleLR --max-lr 0.1 --pct-start 0.2
  gradstep schedule linear cosine inverse_sqrt --warmup 100
`;

/**
 * Runs the command.
 * @throws {GradstepError} What the arguments or the schedule are refused for.
 */
export function run(args: readonly string[], terminal: Terminal): void {
  const { names, flags } = readArguments(args);
  if (flags.help || names.length === 0) {
    terminal.write(USAGE);
    return;
  }
  const { total, warmup, lr, svg, width: _w, height: _h, json, ...rest } = flags;
  const options = {
    total: wholeNumber(total ?? 1000, 'total'),
    lr: numberOf(lr ?? 1, 'lr'),
    options: { ...rest, ...(warmup !== undefined && { warmupSteps: warmup }) },
  };
  const series = names.map((name) => seriesOf(name, options));
  if (json === true) terminal.write(`${JSON.stringify(valuesOf(series))}\n`);
  else show(series, flags, terminal);
  if (svg === undefined || svg === false) return;
  const file = typeof svg === 'string' ? svg : `schedule-${names.join('-')}.svg`;
  save(file, svgPlot({ title: names.join(', '), note: noteOf(args, names), series }));
  if (json !== true) terminal.write(`wrote ${file}\n`);
}

/** By label, the lr of each step. */
function valuesOf(series: readonly Series[]): Record<string, readonly number[]> {
  return Object.fromEntries(series.map(({ label, values }) => [label, values]));
}

function show(series: readonly Series[], flags: Arguments['flags'], terminal: Terminal): void {
  const { width, height } = flags;
  const plot = terminalPlot(series, {
    width: wholeNumber(width ?? Math.min(80, terminal.columns), 'width'),
    height: Math.max(3, wholeNumber(height ?? 16, 'height')),
    colour: terminal.colour,
  });
  terminal.write(`\n${series.map((one, i) => summary(one, i, terminal.colour)).join('\n')}\n\n`);
  terminal.write(`${plot}\n\n`);
}

function save(file: string, picture: string): void {
  try {
    writeFileSync(file, picture);
  } catch (error) {
    throw new GradstepError(
      'ERR_INVALID_ARGUMENT',
      `Expected --svg to be a file that can be written but received '${file}': ` +
        (error as Error).message,
      { cause: error },
    );
  }
}

/** The command's options, as they were given, for the line under the title. */
function noteOf(args: readonly string[], names: readonly string[]): string {
  return args.filter((arg) => !names.includes(arg)).join(' ');
}

function summary({ label, values }: Series, index: number, colour: boolean): string {
  const top = values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
  const last = values.length - 1;
  const at = (step: number) => `${short(values[step]!)} at step ${step}`;
  const name = tint(label, index, colour);
  return `${name}: starts at ${at(0)}, highest ${at(top)}, ends at ${at(last)}`;
}

interface Arguments {
  readonly names: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Words are names, `--key value` and `--key=value` are options, `--key` and `--no-key` flags. */
function readArguments(args: readonly string[]): Arguments {
  const names: string[] = [];
  const flags: Record<string, unknown> = {};
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith('--')) {
      if (arg === '-h') flags.help = true;
      else names.push(arg);
      continue;
    }
    const [key = '', inline] = arg.slice(2).split(/=(.*)/s);
    const next = args[i + 1];
    if (inline !== undefined) flags[camel(key)] = readValue(inline, key);
    else if (key.startsWith('no-')) flags[camel(key.slice(3))] = false;
    else if (next === undefined || next.startsWith('--') || NAMES.includes(next)) {
      flags[camel(key)] = true;
    } else {
      flags[camel(key)] = readValue(next, key);
      i++;
    }
  }
  return { names, flags };
}

/** `min-lr` is minLr; torch's `T_max`, however it is typed, is TMax. */
function camel(key: string): string {
  const name = key.replace(/[-_](.)/g, (_, letter: string) => letter.toUpperCase());
  return name.replace(/^t(?=Max$|Mult$|0$)/, 'T');
}

function readValue(text: string, key = ''): unknown {
  if (key === 'svg') return text; // a file's name, whatever it looks like
  if (text === 'true' || text === 'false') return text === 'true';
  if (text.includes(',')) return text.split(',').map((part) => readValue(part));
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function numberOf(value: unknown, name: string): number {
  if (typeof value === 'number') return value;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected --${name} to be a number but received ${String(value)}`,
  );
}

function wholeNumber(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new GradstepError(
    'ERR_INVALID_ARGUMENT',
    `Expected --${name} to be a whole number > 0 but received ${String(value)}`,
  );
}
