/** Starts the demo; see demo.ts. */

import { runDemo } from './demo.ts';
import { DemoError } from './demo-error.ts';

// A reader such as `head` may leave early: there is nobody to write for.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  runDemo(process.argv.slice(2), process.stdout);
} catch (error) {
  if (!(error instanceof DemoError)) throw error;
  // A bar may stand in the last line of the terminal.
  const newLine = process.stdout.isTTY && error.exitCode === 1 ? '\n' : '';
  process.stderr.write(`${newLine}${error.message}\n`);
  process.exitCode = error.exitCode;
}
