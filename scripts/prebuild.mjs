// `npm run prebuild [target...]`: the addons that the package ships, one folder of prebuilds/ for
// each target; cross-compiled where the target is not this machine. Without arguments, all.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { headersOfThisNode } from './build-addon.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const here = `${process.platform}-${process.arch}`;

/** What ships, with the prefix of the cross compiler and Debian's package of it. */
const SHIPPED = {
  'linux-x64': { prefix: 'x86_64-linux-gnu-', debian: 'g++-x86-64-linux-gnu' },
  'linux-arm64': { prefix: 'aarch64-linux-gnu-', debian: 'g++-aarch64-linux-gnu' },
};

function fail(message) {
  console.error(`prebuild: ${message}`);
  process.exit(1);
}

/** The tools of a target, as environment variables of node-gyp and prebuildify. */
function toolsFor(target) {
  if (target === here) return {};
  if (!(target in SHIPPED))
    fail(`'${target}' is neither this machine nor of ${Object.keys(SHIPPED)}`);
  const { prefix, debian } = SHIPPED[target];
  const compiler = `${prefix}g++`;
  if (spawnSync(compiler, ['--version']).status !== 0) {
    fail(`${target} needs ${compiler}. On Debian: apt-get install ${debian}`);
  }
  return {
    CC: `${prefix}gcc`,
    CXX: compiler,
    LINK: compiler,
    AR: `${prefix}ar`,
    PREBUILD_STRIP_BIN: `${prefix}strip`,
  };
}

/**
 * Builds in a folder of its own, from what the package ships: build/ keeps the addon and the
 * objects of this machine.
 */
function prebuild(target) {
  const [platform, arch] = target.split('-');
  rmSync(join(root, 'prebuilds', target), { recursive: true, force: true });
  const tools = toolsFor(target);
  const stage = join(root, 'build-prebuild', target);
  mkdirSync(stage, { recursive: true });
  for (const name of ['package.json', 'binding.gyp', 'native']) {
    cpSync(join(root, name), join(stage, name), { recursive: true });
  }
  const nodedir = process.env.npm_config_nodedir ?? headersOfThisNode();
  const env = { ...process.env, ...tools, ...(nodedir && { npm_config_nodedir: nodedir }) };
  const cli = join(root, 'node_modules', 'prebuildify', 'bin.js');
  const args = ['--napi', '--strip', '--tag-libc', '-t', process.versions.node];
  if (arch === 'arm64') args.push('--tag-armv', '--armv', '8');
  args.push('--platform', platform, '--arch', arch, '--cwd', stage, '--out', root);
  const { status } = spawnSync(process.execPath, [cli, ...args], { stdio: 'inherit', env });
  rmSync(stage, { recursive: true, force: true });
  if (status !== 0) fail(`${target} was not built`);
}

/**
 * Whether npm runs this before `npm run build`, as it does with every script of such a name; a
 * build wants no prebuilds. npm tells a script only the script's name, but its own title says
 * which command it was given.
 */
function isHookOfBuild() {
  try {
    const parent = readFileSync(`/proc/${process.ppid}/status`, 'utf8').match(/PPid:\s+(\d+)/)[1];
    const titles = [process.ppid, parent].map((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
    );
    return titles.some((title) => /^npm run(-script)? build[\s\0]/.test(title));
  } catch {
    return true; // no /proc: nothing ships from such a machine, unless its target is named
  }
}

const targets = process.argv.slice(2);
if (targets.length > 0 || !isHookOfBuild()) {
  for (const target of targets.length > 0 ? targets : Object.keys(SHIPPED)) prebuild(target);
}
