/** Starts a demo on the command line. */

import { DemoError } from './demo-error.ts';
import type { Output } from './progress.ts';

/** Runs it with this process's arguments; shows what the user can mend as a sentence. */
export async function start(
  run: (args: readonly string[], output: Output) => void | Promise<void>,
): Promise<void> {
  // A reader such as `head` may leave early: there is nobody to write for.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  try {
    await run(process.argv.slice(2), process.stdout);
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    // A bar may stand in the last line of the terminal.
    const newLine = process.stdout.isTTY && error.exitCode === 1 ? '\n' : '';
    process.stderr.write(`${newLine}${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
