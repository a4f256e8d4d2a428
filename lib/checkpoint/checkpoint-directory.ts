/** A folder of checkpoints: crash-safe saves beside a run that goes on, and the newest intact one. */

import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  explainFile,
  finalNameOf,
  makeFolder,
  removeFile,
  syncFolder,
} from '../safetensors/atomic-write.ts';
import type { Progress } from '../safetensors/write-file.ts';
import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';
import { isObject } from '../support/iterables.ts';
import { warnAgain } from '../support/warn.ts';
import { Checkpoint, type SkippedFile } from './checkpoint.ts';
import { readCheckpoint, refuseCheckpoint, toTensors, writeCheckpoint } from './checkpoint-file.ts';
import { lockFolder } from './lock.ts';
import { type CheckpointParts, PART_NAMES, readParts } from './parts.ts';
import { withCopies } from './tree.ts';

/** Options of `CheckpointDirectory.open`. */
export interface CheckpointDirectoryOptions {
  /** How many of the newest checkpoints stay. Default: all. */
  readonly keep?: number;
  /** Checkpoints whose step is a multiple of this stay too, until a save of a lower step. */
  readonly keepEvery?: number;
  /** Only reads, also while another process writes. Default: false. */
  readonly readOnly?: boolean;
}

/** What `save` is given. */
export interface SaveOptions extends CheckpointParts {
  /** An integer from 0 on, the checkpoint's name; one that is there already is replaced. */
  readonly step: number;
  /** Anything of your own: JSON values, typed arrays, bigints, NaN and infinities. */
  readonly extra?: unknown;
  /** Called after every megabyte or so. What it throws ends the save. */
  readonly onProgress?: (progress: Progress) => void;
}

/** What a save has done. */
export interface SavedCheckpoint {
  readonly step: number;
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  /** How long the run was held up, while the snapshot was taken, in milliseconds. */
  readonly snapshotMs: number;
}

/** A checkpoint in the folder, not read yet. */
export interface ListedCheckpoint {
  readonly step: number;
  readonly path: string;
  readonly size: number;
}

/** `step-000001200.safetensors` */
const NAME = /^step-(\d{9,16})\.safetensors$/;
const nameOf = (step: number) => `step-${String(step).padStart(9, '0')}.safetensors`;

function isCount(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/** The checkpoints of one run. */
export class CheckpointDirectory {
  /** The folder, from the root on: the process may go elsewhere. */
  readonly path: string;
  readonly #keep: number;
  readonly #keepEvery: number | undefined;
  /** Ends being the folder's writer; undefined for who only reads. */
  #release: (() => Promise<void>) | undefined;
  #saving: Promise<unknown> | undefined;

  private constructor(path: string, keep: number, keepEvery: number | undefined) {
    this.path = path;
    this.#keep = keep;
    this.#keepEvery = keepEvery;
  }

  /**
   * Opens a folder, which is made if it is not there, and sweeps away what writers that died have
   * left. Until `close()` or the end of the process no other writer can open it.
   *
   * @throws {GradstepError} By rejecting: `ERR_CHECKPOINT` while another writer has it, `ERR_FILE`,
   * `ERR_INVALID_ARGUMENT`.
   */
  static async open(
    path: string,
    options: CheckpointDirectoryOptions = {},
  ): Promise<CheckpointDirectory> {
    const { keep, keepEvery, readOnly } = readOptions(path, options);
    const directory = new CheckpointDirectory(absolute(path), keep, keepEvery);
    if (readOnly) return directory;
    await makeFolder(directory.path);
    directory.#release = await lockFolder(directory.path, () => directory.#names());
    await directory.#sweep().catch(async (error) => {
      await directory.close();
      throw error;
    });
    return directory;
  }

  /**
   * Saves a run: copies its state at once, in one pass, and writes it off the event loop, so that
   * training can go on meanwhile. The file has its name only when it is whole and on the disk;
   * then older ones go, as `keep` and `keepEvery` say, and those of higher steps go all: a run that
   * saves a lower step has been set back, and what came after it then is no longer its past.
   *
   * ```ts
   * const saving = runs.save({ step, model, optimizer, scheduler, extra: { epoch, seed } });
   * ```
   *
   * @throws {GradstepError} By rejecting: `ERR_BUSY` while another save is under way, `ERR_FILE`
   * (disk full, no permission, folder removed), `ERR_CHECKPOINT` for what cannot be saved,
   * `ERR_INVALID_ARGUMENT`, and as `stateDict`. Older checkpoints are all there then, and no file
   * is half written.
   */
  async save(options: SaveOptions): Promise<SavedCheckpoint> {
    this.#checkWritable();
    const { step, onProgress = () => {}, parts, extra } = readSave(options);
    const begin = performance.now();
    const layout = toTensors({ step, extra: withCopies(extra, 'extra'), ...readParts(parts) });
    const snapshotMs = performance.now() - begin;
    this.#checkWritable(); // again: getters and stateDict() of users have run
    const path = join(this.path, nameOf(step));
    const saving = this.#write(path, step, layout, onProgress);
    this.#saving = saving;
    try {
      return { step, path, size: await saving, snapshotMs };
    } finally {
      this.#saving = undefined;
    }
  }

  #checkWritable(): void {
    if (this.#release === undefined) {
      refuseCheckpoint(`${this.path} is closed, or was opened to be read only`);
    }
    if (this.#saving !== undefined) {
      throw new GradstepError('ERR_BUSY', `A save to ${this.path} is under way: await it first`);
    }
  }

  async #write(
    path: string,
    step: number,
    layout: ReturnType<typeof toTensors>,
    onProgress: (progress: Progress) => void,
  ): Promise<number> {
    const size = await writeCheckpoint(path, layout, onProgress);
    await this.#prune(step);
    return size;
  }

  /** The checkpoints that are here, oldest first; they are not looked into. */
  async list(): Promise<readonly ListedCheckpoint[]> {
    const found: ListedCheckpoint[] = [];
    for (const name of await this.#names()) {
      const [, digits] = NAME.exec(name) ?? [];
      const path = join(this.path, name);
      const size = digits === undefined ? undefined : await sizeOf(path);
      if (size !== undefined) found.push({ step: Number(digits), path, size });
    }
    return found.sort((a, b) => a.step - b.step);
  }

  /**
   * The newest checkpoint whose checksum is right, or null where there is none. Damaged ones are
   * passed over, with a warning, and told in its `skipped`; not so one of a later gradstep, or one
   * that only memory or permission is missing for.
   *
   * @throws {GradstepError} By rejecting: `ERR_CHECKPOINT` when there are checkpoints and all of
   * them are damaged; `ERR_CHECKPOINT_VERSION`, `ERR_FILE`, `ERR_OUT_OF_MEMORY`.
   */
  async latest(): Promise<Checkpoint | null> {
    const skipped: SkippedFile[] = [];
    for (const { path } of [...(await this.list())].reverse()) {
      try {
        const { content } = await readCheckpoint(path);
        return new Checkpoint(content, path, skipped);
      } catch (error) {
        const { code, message } = error as GradstepError;
        const isGone = code === 'ERR_FILE' && (await sizeOf(path)) === undefined;
        if (isGone) continue; // its writer has pruned it meanwhile
        if (code !== 'ERR_CHECKPOINT') throw error;
        skipped.push({ path, reason: message });
        warnAgain('WARN_CHECKPOINT', `${message}. Going back to the checkpoint before it`);
      }
    }
    if (skipped.length === 0) return null;
    return refuseCheckpoint(
      `All ${skipped.length} checkpoints in ${this.path} are damaged: ${skipped[0]!.reason}`,
    );
  }

  /**
   * The checkpoint of a step.
   *
   * @throws {GradstepError} By rejecting: `ERR_CHECKPOINT` when it is damaged, `ERR_FILE` when it is
   * not there.
   */
  async load(step: number): Promise<Checkpoint> {
    const path = join(this.path, nameOf(checkStep(step)));
    return new Checkpoint((await readCheckpoint(path)).content, path);
  }

  /** Waits for a save that is under way, and lets other writers open the folder. */
  async close(): Promise<void> {
    const release = this.#release;
    this.#release = undefined; // from here on no save begins
    await this.#saving?.catch(() => {});
    await release?.();
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.path);
    } catch (error) {
      throw explainFile(error, this.path, 'read');
    }
  }

  /** Files that nobody finishes any more: this writer is alone, and has not begun. */
  async #sweep(): Promise<void> {
    for (const name of await this.#names()) {
      if (!NAME.test(finalNameOf(name) ?? '')) continue; // somebody writes a file of another kind
      await removeFile(join(this.path, name));
    }
  }

  /** Of a run that is at this step now, which is saved: higher steps are of a past given up. */
  async #prune(now: number): Promise<void> {
    const all = await this.list();
    const past = all.filter(({ step }) => step <= now);
    const old = past.slice(0, Math.max(0, past.length - this.#keep));
    const every = this.#keepEvery;
    const gone = [
      ...all.filter(({ step }) => step > now).reverse(), // from the newest on: none is passed by
      ...old.filter(({ step }) => every === undefined || step % every !== 0),
    ];
    for (const { path } of gone) await removeFile(path);
    if (gone.length > 0) await syncFolder(this.path);
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

function absolute(path: string): string {
  try {
    return resolve(path);
  } catch (error) {
    throw explainFile(error, path, 'read'); // the process's own folder is gone
  }
}

function refuse(sentence: string): never {
  throw new GradstepError('ERR_INVALID_ARGUMENT', sentence);
}

function readOptions(path: unknown, options: CheckpointDirectoryOptions) {
  if (!isObject(options)) {
    refuse(`Expected { keep, keepEvery, readOnly } but received ${describe(options)}`);
  }
  const { keep = Number.MAX_SAFE_INTEGER, keepEvery, readOnly = false, ...others } = { ...options };
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    refuse(`Expected the path of a folder but received ${describe(path)}`);
  }
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) refuse(`Expected keep, keepEvery or readOnly but received ${unknown}`);
  if (!isCount(keep, 1))
    refuse(`Expected keep to be an integer >= 1 but received ${describe(keep)}`);
  if (keepEvery !== undefined && !isCount(keepEvery, 1)) {
    refuse(`Expected keepEvery to be an integer >= 1 but received ${describe(keepEvery)}`);
  }
  if (typeof readOnly !== 'boolean') {
    refuse(`Expected readOnly to be a boolean but received ${describe(readOnly)}`);
  }
  return { keep, keepEvery, readOnly };
}

function checkStep(step: unknown): number {
  if (isCount(step, 0)) return step;
  return refuse(`Expected step to be an integer >= 0 but received ${describe(step)}`);
}

/** Reads every property once. */
function readSave(options: SaveOptions) {
  const { step, extra, onProgress, ...parts } = { ...options };
  const unknown = Object.keys(parts).find(
    (key) => !(PART_NAMES as readonly string[]).includes(key),
  );
  if (unknown !== undefined) {
    refuse(`Expected step, extra, ${PART_NAMES.join(', ')} to save but received ${unknown}`);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    refuse(`Expected onProgress to be a function but received ${describe(onProgress)}`);
  }
  return { step: checkStep(step), extra, onProgress, parts };
}
