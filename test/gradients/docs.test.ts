/** The examples of docs/gradients.md run, and print what they say. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { expect, it } from 'vitest';
import * as gradstep from '../../lib/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(`${root}/docs/gradients.md`, 'utf8');
const examples = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);

function run(example: string): string {
  const { code } = transformSync(example, { loader: 'ts' });
  const args = ['--input-type=module', '--eval', code];
  return execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
}

it('clips by norm', () => {
  expect(run(examples[0]!)).toMatch(
    /^5 Float32Array\(3\) \[ 0\.59999\d*, 0, 0 \] Float32Array\(1\) \[ 0\.79999/,
  );
});

it('clips by the norm of several workers', () => {
  expect(run(examples[1]!)).toMatch(/^13 Float32Array\(2\) \[ 1\.4999\d*, 1\.9999\d* \]/);
});

it('scales losses', () => {
  const printed = run(examples[2]!).trim().split('\n');
  const promised = text.match(/^prints (.*)\.$/m)![1]!.split(', ');
  expect(printed.map((line) => `\`${line}\``)).toEqual(promised);
});

it('names functions that exist', () => {
  const names = [...text.matchAll(/^\| `(\w+)\(/gm)].map(([, name]) => name!);
  expect(names).toHaveLength(4);
  for (const name of names) expect(Reflect.get(gradstep, name)).toBeTypeOf('function');
});
