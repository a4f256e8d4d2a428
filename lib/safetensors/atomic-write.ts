/**
 * Files that are there whole or not at all: written under another name in the same folder, synced,
 * renamed, and the folder synced too. Whatever happens, nothing half written has the final name.
 */

import type { FileHandle } from 'node:fs/promises';
import { GradstepError } from '../support/errors.ts';
import { nodeModule } from './node.ts';

/** What is known of a temporary file: `.NAME.PID-TOKEN.tmp`. */
const TEMPORARY = /^\.(.+)\.(\d+)-[0-9a-f]{16}\.tmp$/;

/** The name that a temporary file was to have, if it is one of ours. */
export function finalNameOf(name: string): string | undefined {
  return TEMPORARY.exec(name)?.[1];
}

/**
 * @param write Writes everything into the open file.
 * @throws {GradstepError} `ERR_FILE`, with the system's error as `cause`; what `write` throws.
 */
export async function writeAtomically(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const { open, rename, rm } = nodeModule('node:fs/promises');
  const { basename, dirname, join } = nodeModule('node:path');
  const { randomBytes } = nodeModule('node:crypto');
  const folder = dirname(path);
  const token = randomBytes(8).toString('hex');
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${token}.tmp`);
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'wx');
    await write(file);
    await file.sync();
    await file.close();
    file = undefined;
    await rename(temporary, path);
  } catch (error) {
    await file?.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw explainFile(error, path, 'written');
  }
  await syncFolder(folder);
}

/** How systems say that folders cannot be synced there: Windows, some network file systems. */
const NO_SYNC: readonly unknown[] = ['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'];

/**
 * What was renamed in it stays so when the power goes.
 * @throws {GradstepError} By rejecting: `ERR_FILE` when the disk reports an error.
 */
export async function syncFolder(folder: string): Promise<void> {
  const { open } = nodeModule('node:fs/promises');
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    if (!NO_SYNC.includes((error as NodeJS.ErrnoException).code)) {
      throw explainFile(error, folder, 'written');
    }
  } finally {
    await handle?.close().catch(() => {});
  }
}

/** Makes a folder, and those above it, in a way that outlasts a power cut. */
export async function makeFolder(folder: string): Promise<void> {
  const { mkdir } = nodeModule('node:fs/promises');
  const { dirname, resolve } = nodeModule('node:path');
  let first: string | undefined;
  try {
    first = await mkdir(folder, { recursive: true });
  } catch (error) {
    throw explainFile(error, folder, 'written');
  }
  if (first === undefined) return;
  for (let made = resolve(folder); made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made)); // which names `made`
  }
}

/** Removes a file if it is there; a folder of that name is nobody's here, and stays. */
export async function removeFile(path: string): Promise<void> {
  const { rm } = nodeModule('node:fs/promises');
  try {
    await rm(path, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_FS_EISDIR') return;
    throw explainFile(error, path, 'removed');
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of disk space is used up',
  EFBIG: 'the file is larger than this process or file system may write',
  EACCES: 'this process has no permission',
  EPERM: 'this process has no permission',
  EROFS: 'the file system can only be read',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder',
  EMFILE: 'too many files are open',
  EIO: 'the disk reports an error',
};

/** A system's error as ours; what callbacks of users throw passes, whatever code it has. */
export function explainFile(
  error: unknown,
  path: string,
  what: 'written' | 'read' | 'removed',
): unknown {
  if (!isSystemError(error)) return error;
  const { code = '', message } = error;
  return new GradstepError(
    'ERR_FILE',
    `${path} could not be ${what}: ${REASONS[code] ?? message} (${code})`,
    { cause: error },
  );
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && 'syscall' in error && typeof Reflect.get(error, 'code') === 'string'
  );
}
