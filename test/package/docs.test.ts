/** The pages of docs/: the examples of each, one after the other, run and print what is shown. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it.each(['groups.md', 'averages.md', 'parameters.md', 'steps.md'])('%s', (page) => {
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
