// Builds the native addon into build/Release with node-gyp, without downloading: the headers
// that lie beside the running Node are used when they are its own.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The prefix of this Node if its own headers are installed there. */
function headersOfThisNode() {
  const prefix = dirname(dirname(process.execPath));
  const include = join(prefix, 'include', 'node');
  if (!existsSync(join(include, 'common.gypi'))) return undefined;
  const version = readFileSync(join(include, 'node_version.h'), 'utf8');
  const number = (part) => version.match(new RegExp(`#define NODE_${part}_VERSION (\\d+)`))?.[1];
  const found = `v${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}`;
  return found === process.version ? prefix : undefined;
}

const prefix = headersOfThisNode();
const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
const incremental = existsSync(join(root, 'build', 'Makefile'));
const commands = incremental ? ['build'] : ['configure', 'build'];
const { status } = spawnSync(process.execPath, [nodeGyp, ...commands, '--loglevel=warn'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...(prefix === undefined ? {} : { npm_config_nodedir: prefix }) },
});
process.exit(status ?? 1);
