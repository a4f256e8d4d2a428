/**
 * One writer a folder: each process that would write puts a file of its own there, which says who
 * it is, and then looks for others. What a dead process has left is swept away. A file of one's own
 * is never anybody else's to take over, so that no two can take the same one over at once.
 */

import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { explainFile } from '../safetensors/atomic-write.ts';
import { GradstepError } from '../support/errors.ts';

/** `.writer-PID-TOKEN.lock` */
const LOCK = /^\.writer-(\d+)-[0-9a-f]{16}\.lock$/;

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system tells it: numbers of processes are used again. */
  readonly started: string;
}

/** The process's start time in the kernel's ticks; '' where the system does not tell. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field, in parentheses, may hold anything.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Whether that process of this machine lives. */
export async function isAlive(pid: number, started = ''): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return started === '' || (await startOf(pid)) === started;
}

/** Of another machine nobody here can tell whether it lives: then it does. */
async function livesOn(owner: Partial<Owner>): Promise<boolean> {
  if (owner.host !== hostname()) return true;
  return isAlive(owner.pid ?? 0, owner.started);
}

async function readOwner(path: string): Promise<Partial<Owner>> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null;
    if (typeof owner?.pid === 'number' && typeof owner.host === 'string') return owner;
  } catch {}
  // Being written, or cut off with its writer: then its name tells who that is.
  const [, pid] = LOCK.exec(path.slice(path.lastIndexOf('.writer-')))!;
  return { pid: Number(pid), host: hostname() };
}

/**
 * Makes this process the folder's writer; calling the result ends that.
 * @param list The names of the files in the folder, now.
 * @throws {GradstepError} By rejecting: `ERR_CHECKPOINT` while another writer lives; `ERR_FILE`.
 */
export async function lockFolder(
  folder: string,
  list: () => Promise<readonly string[]>,
): Promise<() => Promise<void>> {
  const token = randomBytes(8).toString('hex');
  const name = `.writer-${process.pid}-${token}.lock`;
  const path = join(folder, name);
  const owner: Owner = { pid: process.pid, host: hostname(), started: await startOf(process.pid) };
  const release = () => rm(path, { force: true });
  try {
    await writeFile(path, JSON.stringify(owner), { flag: 'wx', flush: true });
    for (const other of await list()) {
      if (other === name || !LOCK.test(other)) continue;
      const found = await readOwner(join(folder, other));
      if (await livesOn(found)) refuse(folder, found, join(folder, other));
      await rm(join(folder, other), { force: true });
    }
  } catch (error) {
    await release().catch(() => {});
    throw explainFile(error, path, 'written');
  }
  return release;
}

function refuse(folder: string, { pid, host }: Partial<Owner>, path: string): never {
  const who =
    host === hostname()
      ? `process ${pid}${pid === process.pid ? ', this one' : ''}`
      : `${host}, process ${pid}`;
  throw new GradstepError(
    'ERR_CHECKPOINT',
    `${folder} has a writer already (${who}): close() it first, or open the folder with ` +
      `{ readOnly: true }. If that writer is dead for sure, delete ${path}`,
  );
}
