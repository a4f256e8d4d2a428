/** Where threads wait for each other. */

/** How long to wait for a thread that has perhaps died. */
const PATIENCE_MS = 60_000;

/** A meeting point for a fixed number of threads, over an Int32Array of two in shared memory. */
export class Barrier {
  readonly #words: Int32Array;
  readonly #threads: number;

  /** @param words `[threads that have arrived, rounds that are over]`; zeros at first. */
  constructor(words: Int32Array, threads: number) {
    this.#words = words;
    this.#threads = threads;
  }

  /** Returns when every thread has called it as often as this one. */
  wait(): void {
    const round = Atomics.load(this.#words, 1);
    if (Atomics.add(this.#words, 0, 1) === this.#threads - 1) {
      Atomics.store(this.#words, 0, 0);
      Atomics.add(this.#words, 1, 1);
      Atomics.notify(this.#words, 1);
      return;
    }
    while (Atomics.load(this.#words, 1) === round) {
      if (Atomics.wait(this.#words, 1, round, PATIENCE_MS) === 'timed-out') {
        throw new Error(`A thread did not arrive within ${PATIENCE_MS / 1000} s`);
      }
    }
  }
}
