/** The command line. */

import { parseArgs } from 'node:util';

export interface Options {
  /** Under a minute: fewer sizes, one spell, short rounds. */
  readonly quick: boolean;
  /** Hold the figures against the targets; the exit code tells. */
  readonly check: boolean;
  /** Passes over everything; of each figure the best one counts. */
  readonly spells: number;
  /** Measure rows whose name contains this. */
  readonly only: string;
  /** The command that runs Python with torch; empty: none. */
  readonly torch: string;
  /** Report a file that `--json` wrote instead of measuring. */
  readonly from: string | undefined;
  readonly json: string | undefined;
  readonly svg: string | undefined;
  /** Write docs/benchmark.md and docs/benchmark.svg. */
  readonly writeDocs: boolean;
}

export const USAGE = `npm run bench -- [options]
  --quick           under a minute
  --check           fail when a target of bench/targets.ts is missed
  --spells N        passes over everything, of which the best counts (default 3; quick: 1)
  --only TEXT       only rows whose name contains TEXT
  --torch COMMAND   runs Python with torch 2.6 (default: GRADSTEP_BENCH_TORCH)
  --json FILE       write everything measured
  --svg FILE        write the picture
  --write-docs      write docs/benchmark.md and docs/benchmark.svg
  --from FILE       report what --json wrote instead of measuring`;

/** @throws {TypeError | RangeError} for what is no option, or none of its values. */
export function readOptions(args: readonly string[], environment = process.env): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      spells: { type: 'string' },
      only: { type: 'string', default: '' },
      torch: { type: 'string', default: environment.GRADSTEP_BENCH_TORCH ?? '' },
      from: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  const spells = Number(values.spells ?? (values.quick ? 1 : 3));
  if (!Number.isSafeInteger(spells) || spells < 1) {
    throw new RangeError(
      `Expected --spells to be a whole number >= 1 but received ${values.spells}`,
    );
  }
  const { quick, check, only, torch, from, json, svg, 'write-docs': writeDocs } = values;
  return { quick, check, spells, only, torch, from, json, svg, writeDocs };
}
