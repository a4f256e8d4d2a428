// Compiles the addon into build/Release with node-gyp, and downloads nothing: the headers are
// those beside the running Node. Serves checkouts and installed packages alike.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The prefix of this Node if its own headers are installed there. */
export function headersOfThisNode() {
  const prefix = dirname(dirname(process.execPath));
  const include = join(prefix, 'include', 'node');
  if (!existsSync(join(include, 'common.gypi'))) return undefined;
  const version = readFileSync(join(include, 'node_version.h'), 'utf8');
  const number = (part) => version.match(new RegExp(`#define NODE_${part}_VERSION (\\d+)`))?.[1];
  const found = `v${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}`;
  return found === process.version ? prefix : undefined;
}

/** node-gyp: a project's own, the one that npm names to what it runs, or that of npm beside Node. */
function findNodeGyp() {
  const script = join('node-gyp', 'bin', 'node-gyp.js');
  try {
    return createRequire(import.meta.url).resolve(script);
  } catch {
    const bin = dirname(process.execPath);
    const npm = [join(bin, '..', 'lib'), bin].map((folder) =>
      join(folder, 'node_modules', 'npm', 'node_modules', script),
    );
    return [process.env.npm_config_node_gyp, ...npm].find((file) => file && existsSync(file));
  }
}

/** What stands in the way of a build, as a sentence that says what to do; or its environment. */
function prepare(download) {
  const nodeGyp = findNodeGyp();
  if (nodeGyp === undefined) {
    return { problem: "node-gyp was not found. Run this through npm, as 'npx gradstep build'" };
  }
  const nodedir = process.env.npm_config_nodedir ?? headersOfThisNode();
  if (nodedir === undefined && !download) {
    const problem =
      `the headers of Node.js ${process.version} are not installed beside ${process.execPath}, ` +
      "and nothing is downloaded unasked. Run 'npx gradstep build --download-headers', or set " +
      "npm_config_nodedir to the folder that has them in include/node and run 'npx gradstep build'";
    return { problem };
  }
  const env = { ...process.env, ...(nodedir === undefined ? {} : { npm_config_nodedir: nodedir }) };
  return { nodeGyp, env };
}

/** Builds; returns an exit code, and has said on stderr what is wrong if that is not 0. */
export function buildAddon({ download = false } = {}) {
  const { problem, nodeGyp, env } = prepare(download);
  const fail = (reason) => {
    console.error(`ERR_NATIVE_UNAVAILABLE: The addon of gradstep was not built: ${reason}.`);
    return 1;
  };
  if (problem !== undefined) return fail(problem);
  // Not shipped, because Yarn compiles whatever has one in its root.
  const gyp = join(root, 'binding.gyp');
  if (!existsSync(gyp)) writeFileSync(gyp, '{ "includes": ["native/addon.gypi"] }\n');
  // Always 'configure': make does not know that the list of sources is native/sources.json.
  const args = [nodeGyp, 'configure', 'build', '--loglevel=warn'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env });
  if (status === 0) return 0;
  return fail('see the messages above. It needs a C++17 compiler, make and Python 3');
}
