/** Work over many tensors, cut into steps: between two of them the event loop may turn. */

/** Yields where it may be interrupted; returns its result. */
export type Steps<T> = Generator<void, T, void>;

/** Tensors of one step: a few milliseconds. */
export const STEP = 1000;

/** Without a pause. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** With a turn of the event loop after each step. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await turn();
  }
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
