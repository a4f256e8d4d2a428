/** The README: its example runs, and its table has every error code. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(`${root}/${file}`, 'utf8');

it('has an example of about 15 lines that runs', () => {
  const [, example] = read('README.md').match(/```ts\n([\s\S]*?)```/)!;
  expect(example!.trim().split('\n').length).toBeLessThanOrEqual(16);
  const { code } = transformSync(example!, { loader: 'ts' });
  const args = ['--input-type=module', '--eval', code];
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect(printed).toContain("Parameter 'w' [2, 3] [");
  expect(printed).toContain('momentumBuffer: Float32Array(6)');
  expect(printed).toMatch(/lr: 0\.0034867/);
});

it('explains every error code', () => {
  const codes = [...read('lib/support/errors.ts').matchAll(/'(ERR_[A-Z_]+)'/g)].map(
    ([, code]) => code,
  );
  const explained = [...read('README.md').matchAll(/`(ERR_[A-Z_]+)`/g)].map(([, code]) => code);
  expect(new Set(explained)).toEqual(new Set(codes));
  expect(codes.length).toBeGreaterThan(15);
});

it('names the two command lines, and their scripts exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const script of ['demo', 'test']) {
    expect(read('README.md')).toContain(`npm ci && npm ${script === 'demo' ? 'run demo' : script}`);
    expect(scripts).toHaveProperty(script);
  }
});
