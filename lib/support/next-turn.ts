/** The event loop's next turn. */

// Taken now: a test that puts its own clock in their place must not stop a step.
const { setImmediate: immediate, setTimeout: timeout } = globalThis as {
  readonly setImmediate?: (run: () => void) => unknown;
  readonly setTimeout: (run: () => void, ms: number) => unknown;
};

/** Resolves when timers and input have had their turn, which promises alone do not give them. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (immediate === undefined) timeout(resolve, 0);
    else immediate(resolve);
  });
}
