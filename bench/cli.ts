/** `npm run bench`: measures, reports, and with `--check` judges. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, failed } from './check.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { drawPicture } from './report/picture.ts';
import { checkLines, markdownReport, textReport } from './report/report.ts';
import type { Measured } from './results.ts';
import { root } from './root.ts';
import { run } from './run.ts';
import { type Row, rows } from './scenarios/index.ts';

/** Where output goes: figures, and what is going on. */
export interface Streams {
  out(text: string): void;
  progress(text: string): void;
}

/** Returns the exit code: 1 for a missed target, 2 for a wrong command line. */
export async function main(
  args: readonly string[],
  { out, progress }: Streams,
  all: readonly Row[] = rows,
): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    progress(`bench: ${(error as Error).message}\n\n${USAGE}\n`);
    return 2;
  }
  const measured = await load(options, all, progress);
  write(options, measured);
  out(`${textReport(measured)}\n`);
  if (!options.check) return 0;
  const checked = check(measured.series);
  out(`\n${checkLines(checked).join('\n')}\n`);
  return failed(checked) ? 1 : 0;
}

async function load(
  options: Options,
  all: readonly Row[],
  progress: Streams['progress'],
): Promise<Measured> {
  if (options.from !== undefined) return JSON.parse(readFileSync(options.from, 'utf8'));
  const begin = performance.now();
  return run(all, options, (what) => {
    const seconds = ((performance.now() - begin) / 1e3).toFixed(0);
    progress(`${seconds.padStart(4)} s  ${what}\n`);
  });
}

function write({ json, svg, writeDocs }: Options, measured: Measured): void {
  const picture = drawPicture(measured);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(measured)}\n`);
  if (svg !== undefined) writeFileSync(svg, picture);
  if (writeDocs) {
    writeFileSync(join(root, 'docs', 'benchmark.svg'), picture);
    writeFileSync(join(root, 'docs', 'benchmark.md'), markdownReport(measured));
  }
}
