/**
 * Files that are there whole or not at all: written under another name in the same folder, synced,
 * renamed, and the folder synced too. Whatever happens, nothing half written has the final name.
 */

import type { FileHandle } from 'node:fs/promises';
import { GradstepError } from '../support/errors.ts';

/** What is known of a temporary file: `.NAME.PID-TOKEN.tmp`. */
const TEMPORARY = /^\.(.+)\.(\d+)-[0-9a-f]{16}\.tmp$/;

/** The process that began to write a file of this name, if it is a temporary one of ours. */
export function writerOf(name: string): number | undefined {
  const match = TEMPORARY.exec(name);
  return match === null ? undefined : Number(match[2]);
}

/**
 * @param write Writes everything into the open file.
 * @throws {GradstepError} `ERR_FILE`, with the system's error as `cause`; what `write` throws.
 */
export async function writeAtomically(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const [{ open, rename, rm }, { basename, dirname, join }, { randomBytes }] = await Promise.all([
    import('node:fs/promises'),
    import('node:path'),
    import('node:crypto'),
  ]);
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

/** What was renamed in it stays so when the power goes. Windows syncs no folders. */
export async function syncFolder(folder: string): Promise<void> {
  const { open } = await import('node:fs/promises');
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
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

/** A system's error as ours; others pass. */
export function explainFile(error: unknown, path: string, what: 'written' | 'read'): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || error instanceof GradstepError) return error;
  return new GradstepError(
    'ERR_FILE',
    `${path} could not be ${what}: ${REASONS[code] ?? message} (${code})`,
    { cause: error },
  );
}
