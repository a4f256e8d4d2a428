/** `gradstep info`: what a report of a fault needs to say of the machine and the installation. */

import { readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { backend, isa, isas } from '../backend/active.ts';
import { chooseBackend } from '../backend/choose-backend.ts';
import { usableCores } from '../backend/cores.ts';
import { loadAddon } from '../backend/load-addon.ts';
import { packageRoot } from '../backend/require-addon.ts';
import { getNumThreads } from '../backend/threads.ts';
import { readFlags, refuse } from './flags.ts';
import type { Terminal } from './main.ts';

export const USAGE = `Usage: gradstep info [--json]

Tells what runs here: versions, the backend in force and why, the instruction set, threads,
the C library, and the GRADSTEP_ variables that are set. Put it into a report of a fault.

  --json   the same as JSON
`;

/** In the order in which it is shown. */
export interface Info {
  readonly gradstep: string;
  readonly runtime: string;
  readonly platform: string;
  readonly libc: string;
  readonly processor: string;
  readonly memory: string;
  readonly backend: string;
  /** 'loaded', or why not. */
  readonly addon: string;
  readonly isa: string;
  readonly isas: readonly string[];
  readonly threads: number;
  readonly cores: number;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Runs the command.
 * @throws {GradstepError} What the arguments are refused for.
 */
export function run(args: readonly string[], terminal: Terminal): void {
  const { words, flags } = readFlags(args, { json: 'switch' });
  if (flags.help) {
    terminal.write(USAGE);
    return;
  }
  if (words.length > 0) refuse(`Expected no word after info but received '${words[0]}'`);
  const info = collectInfo();
  terminal.write(flags.json ? `${JSON.stringify(info, null, 2)}\n` : infoText(info));
}

export function collectInfo(): Info {
  const addon = addonState();
  if (addon === 'loaded' || process.env.GRADSTEP_BACKEND) chooseBackend();
  const [cpu] = cpus();
  return {
    gradstep: JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')).version,
    runtime: runtime(),
    platform: `${platform()}-${arch()}, ${release()}`,
    libc: libc(),
    processor: `${cpu?.model.trim() ?? 'unknown'} (${cpus().length} threads)`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    backend: backend(),
    addon,
    isa: isa(),
    isas: isas(),
    threads: getNumThreads(),
    cores: usableCores(),
    environment: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => name.startsWith('GRADSTEP_')),
    ) as Record<string, string>,
  };
}

/** What became of the native addon. */
function addonState(): string {
  try {
    loadAddon();
    return 'loaded';
  } catch (error) {
    return (error as Error).message;
  }
}

function runtime(): string {
  const { bun, deno, node, v8 } = process.versions as Record<string, string | undefined>;
  if (bun) return `Bun ${bun}`;
  if (deno) return `Deno ${deno}`;
  return `Node.js ${node} (V8 ${v8})`;
}

function libc(): string {
  if (platform() !== 'linux') return 'of the system';
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'not glibc (musl?)';
}

function infoText(info: Info): string {
  const rows = Object.entries(info).map(([key, value]) => {
    const shown =
      typeof value === 'object' ? Object.entries(value).map(pairText).join(', ') : String(value);
    return `${key.padEnd(12)} ${shown || 'none'}\n`;
  });
  return rows.join('');
}

/** Of a list the values, of an object `key=value`. */
function pairText([key, value]: [string, unknown]): string {
  return /^\d+$/.test(key) ? String(value) : `${key}=${value}`;
}
