/** What it was measured on. */

import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { isa } from 'gradstep';

export interface Machine {
  readonly processor: string;
  readonly isa: string;
  /** As `L1d 32K, L2 1024K, L3 32768K`; empty where the system does not say. */
  readonly caches: string;
  readonly cores: number;
  readonly memory: string;
  readonly platform: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() || 'unknown',
    isa: isa(),
    caches: caches(),
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
  };
}

/** The caches of the first core, where Linux tells them. */
function caches(): string {
  const folder = '/sys/devices/system/cpu/cpu0/cache';
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith('index'))
      .sort()
      .map((name) => {
        const read = (file: string) => readFileSync(`${folder}/${name}/${file}`, 'utf8').trim();
        return { level: read('level'), type: read('type'), size: read('size') };
      })
      .filter(({ type }) => type !== 'Instruction')
      .map(({ level, type, size }) => `L${level}${type === 'Data' ? 'd' : ''} ${size}`)
      .join(', ');
  } catch {
    return '';
  }
}
