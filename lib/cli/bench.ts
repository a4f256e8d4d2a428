/** `gradstep bench`: what a step costs on this machine, beside what the memory allows. */

import { backend, isa } from '../backend/active.ts';
import { chooseBackend } from '../backend/choose-backend.ts';
import { getNumThreads } from '../backend/threads.ts';
import type { Optimizer } from '../optimizer/optimizer.ts';
import { createOptimizer } from '../optimizers/names.ts';
import { ParameterArena } from '../parameters/parameter-arena.ts';
import { countOf, readFlags, refuse } from './flags.ts';
import type { Terminal } from './main.ts';

export const USAGE = `Usage: gradstep bench [NAME ...] [--values N] [--seconds S] [--json]

Times steps of optimizers over one arena: nanoseconds and bytes moved a value, best of many
rounds in turn, beside the speed at which the same machine copies memory.

  NAME        optimizers (default: sgd, momentum, adam, adamw, rmsprop, adagrad, lion)
  --values N  how many values are stepped (default: 4,000,000, more than caches hold)
  --seconds S how long to measure (default: 20)
  --json      the same as JSON
`;

/** What is timed: how it is made, and the float32 values that a step reads and writes of each. */
const SUBJECTS: Readonly<
  Record<string, { readonly name: string; readonly options?: object; readonly moves: number }>
> = {
  sgd: { name: 'sgd', moves: 3 },
  momentum: { name: 'sgd', options: { momentum: 0.9 }, moves: 5 },
  adam: { name: 'adam', moves: 7 },
  adamw: { name: 'adamw', moves: 7 },
  rmsprop: { name: 'rmsprop', moves: 5 },
  adagrad: { name: 'adagrad', moves: 5 },
  lion: { name: 'lion', moves: 5 },
};

/** One line of the result; speeds of the best round. */
export interface BenchRow {
  readonly name: string;
  readonly nanosecondsPerValue: number;
  readonly gigabytesPerSecond: number;
}

/**
 * Runs the command.
 * @throws {GradstepError} What the arguments are refused for.
 */
export function run(args: readonly string[], terminal: Terminal): void {
  const known = { values: 'value', seconds: 'value', json: 'switch' } as const;
  const { words, flags } = readFlags(args, known);
  if (flags.help) {
    terminal.write(USAGE);
    return;
  }
  const names = words.length > 0 ? words : Object.keys(SUBJECTS);
  const stray = names.find((name) => !Object.hasOwn(SUBJECTS, name));
  if (stray !== undefined) {
    refuse(`Expected names out of ${Object.keys(SUBJECTS).join(', ')} but received '${stray}'`);
  }
  const values = countOf(flags.values, 'values', 4_000_000);
  const seconds = countOf(flags.seconds, 'seconds', 20);
  chooseBackend();
  const rows = measure(names, values, seconds);
  const about = { backend: backend(), isa: isa(), threads: getNumThreads(), values };
  terminal.write(
    flags.json ? `${JSON.stringify({ ...about, rows }, null, 2)}\n` : text(about, rows),
  );
}

/** Rounds in turn, so that all meet the same moments of the machine. */
function measure(names: readonly string[], values: number, seconds: number): BenchRow[] {
  const arena = new ParameterArena([[values]]);
  arena.grad.fill(1e-3);
  const [data, copy] = [arena.parameters[0]!.data, new Float32Array(values)];
  const tasks = names.map((name) => {
    const { name: key, options = {}, moves } = SUBJECTS[name]!;
    const optimizer = createOptimizer(key, arena.parameters, {
      lr: 1e-6,
      ...options,
    }) as Optimizer;
    return { name, moves, work: (): void => void optimizer.step(), best: Number.POSITIVE_INFINITY };
  });
  const set = (): void => copy.set(data);
  tasks.push({ name: 'copying memory', moves: 2, work: set, best: Number.POSITIVE_INFINITY });
  const end = performance.now() + seconds * 1000;
  for (const { work } of tasks) work();
  do {
    for (const task of tasks) task.best = Math.min(task.best, timeOf(task.work));
  } while (performance.now() < end);
  return tasks.map(({ name, moves, best }) => ({
    name,
    nanosecondsPerValue: (best * 1e6) / values,
    gigabytesPerSecond: (moves * 4 * values) / (best * 1e6),
  }));
}

/** In milliseconds; of several where one is too short for the clock. */
function timeOf(work: () => void): number {
  const begin = performance.now();
  let count = 0;
  let passed = 0;
  do {
    work();
    count += 1;
    passed = performance.now() - begin;
  } while (passed < 2);
  return passed / count;
}

function text(about: object, rows: readonly BenchRow[]): string {
  const head = Object.entries(about).map(([key, value]) => `${key} ${value.toLocaleString('en')}`);
  const lines = rows.map(({ name, nanosecondsPerValue, gigabytesPerSecond }) => {
    const [time, speed] = [nanosecondsPerValue.toFixed(3), gigabytesPerSecond.toFixed(1)];
    return `${name.padEnd(16)} ${time.padStart(8)} ns a value ${speed.padStart(8)} GB/s\n`;
  });
  return `${head.join(', ')}\n\n${lines.join('')}`;
}
