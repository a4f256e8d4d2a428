/** Shows how far a loop is: a bar that stays in place on a terminal, plain lines elsewhere. */

/** What `process.stdout` has of use here. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const BAR = 24;
const REDRAW_EVERY = 100; // milliseconds

export class Progress {
  readonly #output: Output;
  readonly #label: string;
  readonly #total: number;
  readonly #lines: number;
  readonly #start = performance.now();
  readonly #begun: number;
  #done: number;
  #drawn = 0;

  /**
   * @param lines How many lines to print where there is no terminal.
   * @param done How much of the total was done before.
   */
  constructor(output: Output, label: string, total: number, lines: number, done = 0) {
    this.#begun = done;
    this.#done = done;
    this.#output = output;
    this.#label = label;
    this.#total = total;
    this.#lines = lines;
    if (!output.isTTY) this.#drawn = Math.floor((done * lines) / total);
    else this.#draw('');
    if (output.isTTY && done === total) output.write('\n');
  }

  /** Counts one more, and shows it now and then, with a note such as the loss. */
  advance(note = ''): void {
    this.#done += 1;
    const last = this.#done === this.#total;
    if (!this.#output.isTTY) {
      const line = Math.floor((this.#done * this.#lines) / this.#total);
      if (line === this.#drawn) return;
      this.#drawn = line;
      this.#output.write(`${`  ${this.#label}  ${this.#count()}  ${note}`.trimEnd()}\n`);
    } else if (last || performance.now() - this.#drawn > REDRAW_EVERY) {
      this.#draw(note);
      if (last) this.#output.write('\n');
    }
  }

  /** Redraws the bar over the old one; what does not fit into the line is cut off. */
  #draw(note: string): void {
    this.#drawn = performance.now();
    const filled = Math.floor((BAR * this.#done) / this.#total);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled);
    const line = `  ${this.#label}  ${bar}  ${this.#count()}  ${note}  ${this.#remaining()}`;
    this.#output.write(`\r${line.slice(0, (this.#output.columns ?? 80) - 1)}\x1b[K`);
  }

  #count(): string {
    const total = String(this.#total);
    return `${String(this.#done).padStart(total.length)}/${total}`;
  }

  #remaining(): string {
    const done = this.#done - this.#begun;
    if (done === 0) return '';
    const seconds = (performance.now() - this.#start) / 1000;
    if (this.#done === this.#total) return `${seconds.toFixed(0)} s`;
    return `${Math.ceil((seconds * (this.#total - this.#done)) / done)} s left`;
  }
}
