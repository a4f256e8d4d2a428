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
import { rows } from './scenarios/index.ts';

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n\n${USAGE}\n`);
    return 2;
  }
  const measured = await load(options);
  write(options, measured);
  process.stdout.write(`${textReport(measured)}\n`);
  if (!options.check) return 0;
  const checked = check(measured.series);
  process.stdout.write(`\n${checkLines(checked).join('\n')}\n`);
  return failed(checked) ? 1 : 0;
}

async function load(options: Options): Promise<Measured> {
  if (options.from !== undefined) return JSON.parse(readFileSync(options.from, 'utf8'));
  const begin = performance.now();
  const measured = await run(rows, options, (progress) => {
    const seconds = ((performance.now() - begin) / 1e3).toFixed(0);
    process.stderr.write(`${seconds.padStart(4)} s  ${progress}\n`);
  });
  return measured;
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

process.exitCode = await main();
