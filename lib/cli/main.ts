/** `gradstep schedule` as a command; scripts/gradstep.mjs calls it. */

import { GradstepError } from '../support/errors.ts';
import { runSchedule } from './schedule.ts';

/** Runs it with the words after `schedule`, and returns the exit code. */
export function main(args: readonly string[]): number {
  try {
    runSchedule(args, {
      write: (text) => void process.stdout.write(text),
      columns: process.stdout.columns || 80, // 0 where a pseudo-terminal was given no size
      colour: Boolean(process.stdout.isTTY) && !process.env.NO_COLOR,
    });
    return 0;
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    process.stderr.write(`gradstep: ${error.message}\n`);
    return 1;
  }
}
