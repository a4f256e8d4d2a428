/**
 * Random programs on the three backends in lockstep: after each call the same
 * bits, or the same code thrown; and a call that throws has changed nothing. 200 programs;
 * `npm run test:fuzz` runs 10,000. A failure prints its seed and the smallest program that fails.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { backend, GradstepError, setBackend } from '../../lib/index.ts';
import { type Command, command } from './commands.ts';
import { World } from './world.ts';

const RUNS = Number(process.env.GRADSTEP_FUZZ || 200);
const SEED = Number(
  process.env.GRADSTEP_FUZZ_SEED || (RUNS === 200 ? 1 : Math.floor(Math.random() * 2 ** 31)),
);

/** Collects garbage after every so many commands, beside those that ask for it; 0: never. */
const COLLECT = Number(process.env.GRADSTEP_FUZZ_COLLECT || 0);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const before = backend();
afterAll(() => setBackend(before));

/** What became of a command: the code that it threw, if it did. */
async function attempt(world: World, given: Command): Promise<string> {
  const state = world.digest();
  try {
    await world.run(given);
    return 'done';
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    if (!mayHaveChanged(given)) expect(world.digest(), `${given.name}: ${error}`).toBe(state);
    return error.code;
  }
}

const programs = fc.array(command, { maxLength: 60, size: 'max' });

/** A closure writes gradients before the step is refused; so may a call that comes in its middle. */
const mayHaveChanged = ({ name, b }: Command) =>
  name === 'stepClosure' || (name === 'stepAsync' && b % 3 > 0);

it(`${RUNS} programs, seed ${SEED}`, async () => {
  const property = fc.asyncProperty(programs, async (program) => {
    const native = new World('native', collect);
    const others = (['wasm', 'portable'] as const).map((name) => new World(name, collect));
    for (const [i, given] of program.entries()) {
      if (COLLECT > 0 && i % COLLECT === COLLECT - 1) collect();
      const outcome = await attempt(native, given);
      for (const other of others) {
        expect(await attempt(other, given), given.name).toBe(outcome);
        expect(other.digest(), given.name).toBe(native.digest());
      }
    }
  });
  await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: false });
  console.log(`${RUNS} programs, seed ${SEED}`);
}, 3_600_000);
