/** A checkpoint that was read, and gives a run its state back. */

import { describe } from '../support/describe.ts';
import { refuseCheckpoint } from './checkpoint-file.ts';
import { type CheckpointParts, PART_NAMES, restoreParts, type SavedPart } from './parts.ts';

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
  readonly #parts: Readonly<Record<string, SavedPart>>;

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
    this.#parts = (content.parts ?? {}) as Readonly<Record<string, SavedPart>>;
  }

  /** The names of what it holds: `['model', 'optimizer']`. */
  get parts(): readonly string[] {
    return PART_NAMES.filter((name) => Object.hasOwn(this.#parts, name));
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

  #dictOf(part: string, key: string | undefined): unknown {
    const saved = Object.hasOwn(this.#parts, part) ? this.#parts[part] : undefined;
    if (saved === undefined) {
      refuseCheckpoint(`${this.path} has no ${part}, but ${this.parts.join(', ') || 'nothing'}`);
    }
    if (key === undefined) {
      if ('one' in saved!) return saved.one;
      const keys = Object.keys((saved as { several: object }).several);
      return refuseCheckpoint(
        `${this.path} has several of ${part}: restore { ${keys.join(', ')} } by name`,
      );
    }
    if (!('several' in saved!)) {
      return refuseCheckpoint(`${this.path} has one ${part}, without a name like ${describe(key)}`);
    }
    if (Object.hasOwn(saved.several, key)) return saved.several[key];
    return refuseCheckpoint(
      `${this.path} has no ${part} ${describe(key)}, but ${Object.keys(saved.several).join(', ')}`,
    );
  }
}
