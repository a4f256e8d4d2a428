/** A disk with no room left: the error says so, the older checkpoints stay, no half file. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const library = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Saves what fits, what does not, and what fits again; the folder is its first argument. */
const program = `
  import { readdirSync } from 'node:fs';
  import { CheckpointDirectory, Parameter, SGD } from ${library};
  process.on('SIGXFSZ', () => {});
  const of = (n) => new SGD([new Parameter(new Float32Array(n))], { lr: 1, momentum: 1 });
  const big = (n) => [['p', new Parameter(new Float32Array(n))]];
  const runs = await CheckpointDirectory.open(process.argv[1]);
  await runs.save({ step: 1, model: big(10), optimizer: of(10) });
  try {
    await runs.save({ step: 2, model: big(5_000_000) });
  } catch ({ code, message }) {
    console.log(code, message);
  }
  console.log((await runs.latest()).step);
  await runs.save({ step: 3, model: big(20) });
  await runs.close();
  console.log(readdirSync(process.argv[1]).sort().join());
`;
const KEPT = '1\nstep-000000001.safetensors,step-000000003.safetensors\n';

/** @param before What the shell does before it; `$folder` is the folder. */
function save(before: string, shell = ['bash']) {
  const [command, ...args] = [
    ...shell,
    '-c',
    `${before}; exec "$0" --input-type=module -e "$1" "$folder"`,
  ];
  const options = { encoding: 'utf8', env: { ...process.env, folder } } as const;
  return spawnSync(command!, [...args, process.execPath, program], options);
}

it('a limit on the size of files', () => {
  const { stdout, stderr } = save('ulimit -f 8192');
  expect(stderr).toBe('');
  expect(stdout).toMatch(
    /^ERR_FILE .*larger than this process or file system may write \(EFBIG\)\n/,
  );
  expect(stdout).toContain(KEPT);
  expect(readdirSync(folder)).toHaveLength(2);
});

/** Only root may mount; in a namespace of the child's own, which goes with it. */
const mount = 'mount -t tmpfs -o size=4m gradstep "$folder"';
const shell = ['unshare', '--mount', 'bash'];
const mayMount =
  spawnSync(shell[0]!, [...shell.slice(1), '-c', 'mount -t tmpfs x /tmp']).status === 0;

it.skipIf(!mayMount)('a file system of four megabytes', () => {
  const { stdout, stderr } = save(mount, shell);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^ERR_FILE .*\(ENOSPC\)\n/);
  expect(stdout).toContain(KEPT);
});
