/**
 * Times several subjects in turn, round by round, so that what the machine does beside them meets
 * all alike. One figure alone means nothing; two of the same round can be compared.
 */

/** Something whose steps are timed. */
export interface Subject {
  readonly name: string;
  /** Nanoseconds of so many steps; one more comes first and does not count. */
  run(steps: number): number | Promise<number>;
  close?(): void | Promise<void>;
}

/** How long and how often. */
export interface Plan {
  /** For one call of `interleave`; at least three rounds are run, at most `ROUNDS`. */
  readonly seconds: number;
}

/** Nanoseconds per step by round; null where the subject sat out. */
export type Rounds = (number | null)[];

// An optimizer that is measured with two thread counts stays below 16,000 steps: beyond, Adam's
// second bias correction is 1 to float32, which is not the work of a usual step.
const ROUNDS = 60;
const MOST_STEPS = 100;
const FEWEST_STEPS = 50; // of a step below a millisecond: a hot pool
const BURST = 2e6; // nanoseconds that a burst aims at
const SHARE = 3; // a subject sits out once it has used up this many equal shares of the time

/** A subject that is a call of JavaScript. */
export function subject(name: string, step: () => void, close?: () => void): Subject {
  const run = (steps: number) => {
    step();
    const start = process.hrtime.bigint();
    for (let i = 0; i < steps; i++) step();
    return Number(process.hrtime.bigint() - start);
  };
  return { name, run, ...(close && { close }) };
}

/** How many steps a burst of this subject has. */
async function burstOf({ run }: Subject): Promise<number> {
  await run(1); // compiles, allocates
  const time = await run(1);
  const wanted = Math.min(MOST_STEPS, Math.ceil(BURST / Math.max(time, 1)));
  return time < 1e6 ? Math.max(FEWEST_STEPS, wanted) : wanted;
}

/** The rounds of each subject, in the order given. */
export async function interleave(
  subjects: readonly Subject[],
  { seconds }: Plan,
): Promise<Rounds[]> {
  const rounds: Rounds[] = subjects.map(() => []);
  const steps: number[] = [];
  for (const subject of subjects) steps.push(await burstOf(subject));
  const spent = subjects.map(() => 0);
  const allowed = (SHARE * seconds * 1e9) / subjects.length;
  const end = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9));
  for (let round = 0; round < ROUNDS; round++) {
    if (round >= 3 && process.hrtime.bigint() > end) break;
    for (let k = 0; k < subjects.length; k++) {
      const i = (k + round) % subjects.length; // nobody always comes after the same one
      if (round >= 3 && spent[i]! > allowed) {
        rounds[i]!.push(null);
        continue;
      }
      const time = await subjects[i]!.run(steps[i]!);
      spent[i]! += time;
      rounds[i]!.push(time / steps[i]!);
    }
  }
  return rounds;
}

/** Single steps, each after a pause in which threads fall asleep and caches stay as they are. */
export function afterPauses(step: () => void, times: number, milliseconds = 3): Rounds {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  return Array.from({ length: times }, () => {
    Atomics.wait(clock, 0, 0, milliseconds);
    const start = process.hrtime.bigint();
    step();
    return Number(process.hrtime.bigint() - start);
  });
}
