// Holds the order of the rooms of lib/: asks dependency-cruiser (.dependency-cruiser.mjs), and
// prints of each import that breaks a rule its line and the sentence of the rule.
// `npm run check` runs it; a folder may be named, for its own test.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import config from '../.dependency-cruiser.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = process.argv[2] ?? root;

function cruise() {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const rules = join(root, '.dependency-cruiser.mjs');
  const args = [program, 'lib', '--config', rules, '--output-type', 'json'];
  const options = { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 30 };
  const { stdout, stderr } = spawnSync(process.execPath, args, options);
  if (!stdout.startsWith('{')) throw new Error(stderr);
  return JSON.parse(stdout).summary;
}

/** The line of a file that imports another one: `lib/a.ts:3: import './b.ts';`. */
function lineOf(from, to) {
  const lines = readFileSync(join(folder, from), 'utf8').split('\n');
  const at = lines.findIndex((line) =>
    [...line.matchAll(/['"](\.[^'"]*)['"]/g)].some(
      ([, path]) => normalize(join(dirname(from), path)) === to,
    ),
  );
  return at < 0 ? from : `${from}:${at + 1}: ${lines[at].trim()}`;
}

const { violations, totalCruised } = cruise();
for (const { from, to, rule, cycle = [] } of violations) {
  const { comment } = config.forbidden.find(({ name }) => name === rule.name);
  const way = cycle.length > 0 ? [from, ...cycle.map(({ name }) => name)] : [from, to];
  console.error(`${lineOf(from, way[1])}\n  ${rule.name}: ${way.join(' → ')}\n  ${comment}`);
}
if (violations.length === 0) console.log(`${totalCruised} files of lib/ keep the order of rooms`);
process.exitCode = violations.length > 0 ? 1 : 0;
