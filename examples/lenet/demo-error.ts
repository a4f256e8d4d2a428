/** A failure that the user can mend: main.ts shows the sentence alone and leaves with the code. */

export class DemoError extends Error {
  /** 2 for a wrong command line, 1 for all else. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
