/**
 * The package as a stranger gets it: packed, and installed into an empty folder, offline, with
 * the install scripts blocked, in an environment that knows nothing of this machine's npm.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const NOWHERE = 'http://127.0.0.1:9/'; // nobody listens here: a download would fail, and be seen

/** What a run said and returned. */
export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The files of the package, and the path of its tarball. */
export interface Packed {
  readonly tarball: string;
  readonly files: readonly string[];
}

/** This environment without npm's settings, and with no way to the network. */
export function offline(folder: string, extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|gradstep_|vitest|node_env)/i.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    npm_config_offline: 'true',
    npm_config_registry: NOWHERE,
    NODEJS_ORG_MIRROR: NOWHERE,
    npm_config_userconfig: join(folder, 'no-user-npmrc'),
    npm_config_globalconfig: join(folder, 'no-global-npmrc'),
    npm_config_cache: join(folder, 'npm-cache'),
    npm_config_update_notifier: 'false',
    ...extra,
  };
}

/** `npm pack` of a folder: of this package, or of one of its dependencies. */
export function pack(folder: string, source = root): Packed {
  mkdirSync(folder, { recursive: true });
  const args = ['pack', source, '--ignore-scripts', '--json', '--pack-destination', folder];
  const json = execFileSync('npm', args, { encoding: 'utf8', cwd: folder, env: offline(folder) });
  // An array of packages, or since npm 12 an object of them.
  const [packed] = Object.values(JSON.parse(json)) as [
    { filename: string; files: { path: string }[] },
  ];
  const files = packed.files.map(({ path }) => path);
  return { tarball: join(folder, packed.filename), files };
}

/** Installs tarballs into an empty folder; returns the folder. */
export function install(folder: string, packages: readonly Packed[]): string {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const tarballs = packages.map(({ tarball }) => tarball);
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs];
  execFileSync('npm', args, { cwd: folder, env: offline(folder), stdio: 'pipe' });
  return folder;
}

/** The tarballs of a package with its runtime dependencies, which no registry has to serve. */
export function packAll(folder: string): Packed[] {
  const dependencies = ['node-addon-api', 'node-gyp-build'];
  return [
    pack(folder),
    ...dependencies.map((name) => pack(folder, join(root, 'node_modules', name))),
  ];
}

/** Runs a command, by default offline, and returns what it said. */
export function run(
  command: string,
  args: readonly string[],
  cwd: string,
  extra: NodeJS.ProcessEnv = {},
): Run {
  const env = offline(cwd, extra);
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  return { status, stdout, stderr: error ? `${error.message}\n${stderr}` : stderr };
}

/** Makes the prebuilt addons of the named targets, by default of all that ship. */
export function prebuild(...targets: string[]): void {
  const args = [join(root, 'scripts', 'prebuild.mjs'), ...targets];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm run prebuild ${targets.join(' ')} failed: ${stderr}`);
}
