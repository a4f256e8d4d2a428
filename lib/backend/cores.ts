/** How many threads this process can use at once: physical cores, affinity and quota respected. */

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

type Read = (path: string) => string;

/** Reads a file of the kernel; empty where there is none. */
const readOrEmpty: Read = (path) => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

/**
 * The physical cores this process may run on, at most as many as its cgroup grants CPU time for.
 * Two hardware threads of one core share their arithmetic and their caches: they count once.
 * Where the system does not tell, what Node.js counts.
 */
export function usableCores(read: Read = readOrEmpty, fallback = availableParallelism()): number {
  const allowed = parseList(read('/proc/self/status').match(/^Cpus_allowed_list:\s*(\S+)/m)?.[1]);
  const cores = new Set(
    allowed.map((cpu) => {
      const siblings = `/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`;
      return read(siblings) || `${cpu}`;
    }),
  );
  const most = Math.min(cores.size || fallback, quota(read));
  return Math.max(1, Math.floor(most));
}

/** `0-3,8` as numbers. */
function parseList(list = ''): number[] {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    if (range === '' || first === undefined || last === undefined) return [];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** CPUs' worth of time that the cgroup grants, versions 2 and 1. */
function quota(read: Read): number {
  const [share, period] = read('/sys/fs/cgroup/cpu.max').split(' ').map(Number);
  if (share! > 0 && period! > 0) return share! / period!;
  const old = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'));
  const oldPeriod = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us'));
  return old > 0 && oldPeriod > 0 ? old / oldPeriod : Number.POSITIVE_INFINITY;
}
