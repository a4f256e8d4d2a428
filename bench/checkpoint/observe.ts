/** What a call costs beside its time: memory, and blocks of the event loop. */

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export const MIB = 1024 ** 2;

export interface Measured {
  readonly ms: number;
  /** Milliseconds, from when the call has given its promise. */
  readonly longestBlock: number;
  /** Bytes of resident memory beyond those before, at the highest. */
  readonly peak: number;
}

/** Runs it; what it does before it gives its promise is no block. */
export async function observe<T>(call: () => Promise<T>): Promise<Measured & { result: T }> {
  globalThis.gc?.();
  await new Promise((done) => setTimeout(done, 200));
  const before = process.memoryUsage.rss();
  const begin = performance.now();
  const promise = call();
  let highest = process.memoryUsage.rss();
  const sampler = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss());
  }, 5);
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const result = await promise;
  const ms = performance.now() - begin;
  delays.disable();
  clearInterval(sampler);
  return { ms, longestBlock: delays.max / 1e6, peak: highest - before, result };
}

/** Milliseconds that `dd` takes to write so many MiB and have them on the disk. */
export function dd(path: string, mib: number): number {
  const begin = performance.now();
  const args = ['if=/dev/zero', `of=${path}`, 'bs=4M', `count=${Math.ceil(mib / 4)}`, 'conv=fsync'];
  execFileSync('dd', args, { stdio: 'ignore' });
  const ms = performance.now() - begin;
  rmSync(path);
  return ms;
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
