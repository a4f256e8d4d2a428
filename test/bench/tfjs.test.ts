/** `npm run bench:tfjs`: a row of it. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../bench/dist/bench/tfjs/main.js', import.meta.url));

it('measures whole steps and the optimizer alone', () => {
  const args = [main, '--quick', '--only', 'wasm dense, 5 k values momentum'];
  const lines = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n');
  expect(lines.at(-1)).toMatch(
    /^wasm +dense, 5 k values +momentum( +[\d.e+]+){4} +[\d.]+ × +[\d.]+ ×$/,
  );
  expect(lines.filter((line) => line.startsWith('wasm'))).toHaveLength(1);
});
