/** A checkpoint that was read, and gives a run its state back. */

import { describe } from '../support/describe.ts';
import { refuseCheckpoint } from './checkpoint-file.ts';
import {
  type CheckpointParts,
  PART_NAMES,
  type PartName,
  restoreParts,
  type SavedParts,
} from './parts.ts';

/** A file that was passed over. */
export interface SkippedFile {
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: string;
}

/** One checkpoint, read whole and verified. */
export class Checkpoint {
  /** The step that it was saved at. */
  readonly step: number;
  /** What was saved as `extra`; undefined if nothing was. */
  readonly extra: unknown;
  /** Its file. */
  readonly path: string;
  /** Newer files that `latest()` has passed over because they are damaged, newest first. */
  readonly skipped: readonly SkippedFile[];
  readonly #saved: SavedParts;

  /** @internal */
  constructor(
    content: Readonly<Record<string, unknown>>,
    path: string,
    skipped: readonly SkippedFile[] = [],
  ) {
    this.step = content.step as number;
    this.extra = content.extra;
    this.path = path;
    this.skipped = skipped;
    this.#saved = { several: [], ...content };
  }

  /** The names of what it holds: `['model', 'optimizer']`. */
  get parts(): readonly string[] {
    return PART_NAMES.filter((name) => Object.hasOwn(this.#saved, name));
  }

  /**
   * Loads what is given here from this checkpoint: all of it, or when anything throws, nothing.
   * Parts that were saved and are not given stay in the file.
   *
   * @throws {GradstepError} `ERR_CHECKPOINT` when a part was not saved, `ERR_INVALID_ARGUMENT`; as
   * `loadStateDict` and `loadModelStateDict`. Nothing has changed then.
   */
  restore(parts: CheckpointParts): void {
    const given = { ...parts };
    const unknown = Object.keys(given).find(
      (key) => !(PART_NAMES as readonly string[]).includes(key),
    );
    if (unknown !== undefined) {
      refuseCheckpoint(`Expected ${PART_NAMES.join(', ')} to restore but received ${unknown}`);
    }
    restoreParts(given, (part, key) => this.#dictOf(part, key));
  }

  #dictOf(part: PartName, key: string | undefined): unknown {
    if (!Object.hasOwn(this.#saved, part)) {
      refuseCheckpoint(`${this.path} has no ${part}, but ${this.parts.join(', ') || 'nothing'}`);
    }
    const saved = this.#saved[part];
    const isSeveral = this.#saved.several.includes(part);
    if (key === undefined) {
      if (!isSeveral) return saved;
      const keys = Object.keys(saved as object);
      return refuseCheckpoint(
        `${this.path} has several of ${part}: restore { ${keys.join(', ')} } by name`,
      );
    }
    if (!isSeveral) {
      return refuseCheckpoint(`${this.path} has one ${part}, without a name like ${describe(key)}`);
    }
    const several = saved as Readonly<Record<string, unknown>>;
    if (Object.hasOwn(several, key)) return several[key];
    return refuseCheckpoint(
      `${this.path} has no ${part} ${describe(key)}, but ${Object.keys(several).join(', ')}`,
    );
  }
}
