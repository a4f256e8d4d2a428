/** The pages of docs/: the examples of each, one after the other, run and print what is shown. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const pages = [
  'groups.md',
  'averages.md',
  'parameters.md',
  'steps.md',
  'state-dicts.md',
  'checkpoints.md',
  'pytorch-exchange.md',
  'tfjs.md',
];

it.each(pages)('%s', (page) => {
  const text = readFileSync(`${root}/docs/${page}`, 'utf8');
  const blocks = (language: string) =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
      ([, block]) => block!,
    );
  const { code } = transformSync(blocks('ts').join('\n'), { loader: 'ts' });
  const args = ['--input-type=module', '--eval', code];
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect(printed).toBe(blocks('text').join(''));
});

it('pytorch-exchange.md has the lines of Python with which runs were exchanged', () => {
  const text = readFileSync(`${root}/docs/pytorch-exchange.md`, 'utf8');
  const [, python] = /```python\n([\s\S]*?)```/.exec(text)!;
  const used = readFileSync(`${root}/test/reference/exchange/exchange.py`, 'utf8');
  expect(python).toBe(used);
});
