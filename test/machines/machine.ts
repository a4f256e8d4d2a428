/** How other machines are had here: emulators of Debian, Node.js executables of npm. */

import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { offline, root } from '../support/consumer.ts';

/** Where Debian puts the libraries of arm64. */
export const SYSROOT = '/usr/aarch64-linux-gnu';

/** Fails with what is missing and how it is had. */
export function need(program: string, debian: string): string {
  const { status } = spawnSync(program, ['--version'], { stdio: 'ignore' });
  if (status === 0) return program;
  throw new Error(`missing: ${program}. On Debian: apt-get install ${debian}`);
}

/** Fails with the reason why the package has no addon for this target. */
export function needPrebuild(target: string): void {
  const failure = inject('failures')[target];
  if (failure !== undefined) throw new Error(`missing: the addon of ${target}: ${failure}`);
}

/** The Node.js executable of a version, from npm's package of it; kept in node_modules/.cache. */
export function nodeExecutable(version: string, arch: 'x64' | 'arm64' = 'x64'): string {
  const name = `node-linux-${arch}`;
  const cache = join(root, 'node_modules', '.cache', 'machines');
  const folder = join(cache, `${name}-${version}`);
  const executable = join(folder, 'bin', 'node');
  if (existsSync(executable)) return executable;
  mkdirSync(cache, { recursive: true });
  const download = mkdtempSync(join(cache, 'download-'));
  const options = { cwd: download, encoding: 'utf8' } as const;
  const pack = spawnSync('npm', ['pack', `${name}@${version}`, '--silent'], options);
  const tar = spawnSync('tar', ['-xzf', pack.stdout.trim(), 'package/bin/node'], options);
  if (pack.status !== 0 || tar.status !== 0) {
    throw new Error(`missing: ${name}@${version} of npm: ${pack.stderr}${tar.stderr}`);
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(join(download, 'package'), folder);
  rmSync(download, { recursive: true });
  return executable;
}

/** How many cases an emulator replays, twenty times slower than a processor: all by default. */
export const EMULATED = process.env.GRADSTEP_EMULATED_CASES || 'Infinity';

/** Runs the goldens with this command; gives what it printed. */
export function runGoldens(
  command: readonly string[],
  isas: string,
  limit = 'Infinity',
  backend = 'native',
): Promise<string> {
  const [program = '', ...args] = [...command, 'runner.mjs', isas, limit];
  const cwd = inject('consumer');
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { cwd, env: { ...offline(cwd), GRADSTEP_BACKEND: backend }, timeout: 850_000 },
      (error, stdout, stderr) =>
        error ? reject(new Error(`${error.message}\n${stdout}${stderr}`)) : resolve(stdout.trim()),
    );
  });
}
