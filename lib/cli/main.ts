/** Runs a command of `npx gradstep`; scripts/gradstep.mjs has the list of them. */

import { GradstepError } from '../support/errors.ts';

/** Where a command writes. */
export interface Terminal {
  write(text: string): void;
  readonly columns: number;
  readonly colour: boolean;
}

/**
 * A command: it is given the words after its name.
 * @throws {GradstepError} What its arguments or files are refused for.
 */
export type Command = (args: readonly string[], terminal: Terminal) => void | Promise<void>;

/** Names in files are somebody's: no signs that a terminal obeys, none that turn a text around. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => {
    return `\\u${sign.codePointAt(0)!.toString(16).padStart(4, '0')}`;
  });
}

/** Runs it, and returns the exit code. */
export async function main(command: Command, args: readonly string[]): Promise<number> {
  try {
    await command(args, {
      write: (text) => void process.stdout.write(text),
      columns: process.stdout.columns || 80, // 0 where a pseudo-terminal was given no size
      colour: Boolean(process.stdout.isTTY) && !process.env.NO_COLOR,
    });
    return 0;
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    process.stderr.write(`gradstep: ${plain(error.message)}\n`);
    return 1;
  }
}
