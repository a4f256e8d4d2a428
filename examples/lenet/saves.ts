/** Checkpoints of the training, and how it goes on from one. */

import { createHash } from 'node:crypto';
import { CheckpointDirectory, type CheckpointParts, GradstepError } from 'gradstep';
import { DemoError } from './demo-error.ts';
import type { LeNet } from './lenet.ts';
import type { Options } from './options.ts';
import type { Output } from './progress.ts';

/** What must be the same for a run to be the same; the order of the digits follows from the seed. */
const SETTINGS = ['epochs', 'batchSize', 'lr', 'seed', 'trainSize'] as const;

interface Extra {
  readonly settings: string;
  readonly losses: Float64Array;
}

/** The saves of one run, whose steps are as many as its losses. */
export class Saves {
  readonly #runs: CheckpointDirectory;
  readonly #parts: CheckpointParts;
  readonly #settings: string;
  readonly #output: Output;

  private constructor(
    runs: CheckpointDirectory,
    parts: CheckpointParts,
    settings: string,
    output: Output,
  ) {
    this.#runs = runs;
    this.#parts = parts;
    this.#settings = settings;
    this.#output = output;
  }

  static async open(options: Options, parts: CheckpointParts, output: Output): Promise<Saves> {
    const settings = SETTINGS.map((name) => `${name} ${options[name]}`).join(', ');
    const runs = await mendable(CheckpointDirectory.open(options.checkpoints, { keep: 3 }));
    return new Saves(runs, parts, settings, output);
  }

  /** Loads the newest checkpoint, if there is one; the losses until then. */
  async resume(): Promise<number[]> {
    const checkpoint = await mendable(this.#runs.latest());
    if (checkpoint === null) return [];
    const { settings, losses } = checkpoint.extra as Extra;
    if (settings !== this.#settings) {
      throw new DemoError(
        `The checkpoints in ${this.#runs.path} are of another run: ${settings}. ` +
          'Give the same options, or another folder with --checkpoints.',
      );
    }
    checkpoint.restore(this.#parts);
    this.#output.write(`   Goes on from step ${checkpoint.step}, ${checkpoint.path}\n\n`);
    return [...losses];
  }

  async save(losses: readonly number[]): Promise<void> {
    const extra: Extra = { settings: this.#settings, losses: Float64Array.from(losses) };
    await mendable(this.#runs.save({ step: losses.length, ...this.#parts, extra }));
  }

  async close(): Promise<void> {
    await this.#runs.close();
  }
}

/** A full disk, a folder in use: sentences for the user. */
async function mendable<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof GradstepError) throw new DemoError(`${error.message}.`);
    throw error;
  }
}

/** The same weights, the same word. */
export function digest(net: LeNet): string {
  const hash = createHash('sha256');
  for (const { data } of net.parameters()) hash.update(data);
  return hash.digest('hex').slice(0, 16);
}
